import { ok } from '../../shared/kernel/index.ts';
import { dataKeyRotationId, listDataKeyRotations } from '../../shared/rewrap/index.ts';
import { dataKeyRotationView, toDataKeyRotationView } from './data-key-rotation.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, pageQuery, toPage, toStorePage } from './page.ts';

export const listDataKeyRotationsOperation = defineOperation({
  id: 'listDataKeyRotations',
  method: 'get',
  path: '/v1/data-key-rotations',
  summary: 'List data-key rotations, newest first',
  permission: 'data_key:read',
  query: pageQuery(dataKeyRotationId),
  response: pageOf(dataKeyRotationView),
  act: async ({ pool, stores }, { query }) => {
    const found = await listDataKeyRotations({ pool, rotations: stores.dataKeyRotation }, toStorePage(query));
    return ok({ body: toPage(found, query, toDataKeyRotationView) });
  },
});
