import { type TypeId, typeId } from '../kernel/index.ts';

export const gitSourceId = typeId('src');
export type GitSourceId = TypeId<'src'>;
