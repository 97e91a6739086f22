import { fail, ok } from '../../shared/kernel/index.ts';
import { requestDataKeyRotation } from '../../shared/rewrap/index.ts';
import { dataKeyRotationView, purposeField, toDataKeyRotationView } from './data-key-rotation.schema.ts';
import { defineOperation } from './operation.ts';

export const rotateDataKeyOperation = defineOperation({
  id: 'rotateDataKey',
  method: 'post',
  path: '/v1/data-key-rotations',
  summary:
    'Ask for a new data key; rows are sealed anew in the background, and then the old one is destroyed',
  permission: 'data_key:rotate',
  body: { purpose: purposeField },
  status: 202,
  creates: true,
  response: dataKeyRotationView,
  example: { body: { purpose: 'api-key-pepper' } },
  act: async (deps, { actor, body }) => {
    const requested = await requestDataKeyRotation(
      { ...deps, rotations: deps.stores.dataKeyRotation },
      { purpose: body.purpose, actor },
    );
    if (!requested.ok)
      return fail({ code: 'resource.conflict', detail: `A rotation of "${body.purpose}" is open` });
    return ok({
      location: `/v1/data-key-rotations/${requested.value.id}`,
      body: toDataKeyRotationView(requested.value),
    });
  },
});
