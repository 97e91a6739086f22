import { fail, ok } from '../../shared/kernel/index.ts';
import { findDataKeyRotation } from '../../shared/rewrap/index.ts';
import {
  dataKeyRotationIdField,
  dataKeyRotationView,
  toDataKeyRotationView,
} from './data-key-rotation.schema.ts';
import { defineOperation } from './operation.ts';

export const getDataKeyRotationOperation = defineOperation({
  id: 'getDataKeyRotation',
  method: 'get',
  path: '/v1/data-key-rotations/{rotation}',
  summary: 'Read how far a data-key rotation has come',
  permission: 'data_key:read',
  params: { rotation: dataKeyRotationIdField },
  resource: 'rotation',
  response: dataKeyRotationView,
  act: async ({ pool, stores }, { params }) => {
    const found = await findDataKeyRotation({ pool, rotations: stores.dataKeyRotation }, params.rotation);
    return found === undefined
      ? fail({ code: 'resource.not_found' })
      : ok({ body: toDataKeyRotationView(found) });
  },
});
