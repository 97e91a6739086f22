import { type TypeId, typeId } from '../kernel/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';

export const userId = typeId('usr');
export type UserId = TypeId<'usr'>;

/** Whose rights a key has. A key of a user is a personal key. */
export type ApiKeyOwner =
  | { readonly type: 'service_account'; readonly id: ServiceAccountId }
  | { readonly type: 'user'; readonly id: UserId };

/** As events name it. */
export function toOwnerData(owner: ApiKeyOwner): { serviceAccountId: string } | { userId: string } {
  return owner.type === 'user' ? { userId: owner.id } : { serviceAccountId: owner.id };
}
