import { type TypeId, typeId } from '../kernel/index.ts';

export const trustRuleId = typeId('trust');
export type TrustRuleId = TypeId<'trust'>;
