import { type TypeId, typeId } from '../kernel/index.ts';

export const apiKeyId = typeId('key');
export type ApiKeyId = TypeId<'key'>;
