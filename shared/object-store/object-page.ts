import { invariant } from '../kernel/index.ts';
import { requireObjectPrefix } from './object-key.ts';
import { type ObjectPage, type ObjectPageRequest, objectPageLimitMax } from './object-store.ts';

export function checkPageRequest(prefix: string, page: ObjectPageRequest): { after: string; limit: number } {
  const { after = '', limit = objectPageLimitMax } = page;
  requireObjectPrefix(prefix);
  invariant(
    limit >= 1 && limit <= objectPageLimitMax,
    `a page holds 1 to ${objectPageLimitMax} keys, not ${limit}`,
  );
  return { after, limit };
}

export function toObjectPage(keys: readonly string[], isLast: boolean, next = keys.at(-1)): ObjectPage {
  return isLast || next === undefined ? { keys } : { keys, next };
}
