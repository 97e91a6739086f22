import { withOrg } from '../db/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { DataKeyRotation, DataKeyRotationId } from './data-key-rotation.ts';
import type { RequestDataKeyRotationDeps } from './request-data-key-rotation.ts';

type Deps = Pick<RequestDataKeyRotationDeps, 'pool' | 'rotations'>;

export function findDataKeyRotation(deps: Deps, id: DataKeyRotationId): Promise<DataKeyRotation | undefined> {
  return withOrg(deps.pool, platformOrganizationId, (tx) => deps.rotations.find(tx, id));
}

/** Newest first. */
export function listDataKeyRotations(
  deps: Deps,
  page: { readonly limit: number; readonly before?: DataKeyRotationId },
): Promise<DataKeyRotation[]> {
  return withOrg(deps.pool, platformOrganizationId, (tx) => deps.rotations.list(tx, page));
}
