import { type TypeId, typeId } from '../kernel/index.ts';

export const serviceAccountId = typeId('sa');
export type ServiceAccountId = TypeId<'sa'>;
