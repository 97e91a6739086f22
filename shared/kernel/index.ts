/**
 * The words every other module is written in: results, time, randomness, names, ids, canonical JSON. Imports
 * nothing of ours and does no input or output.
 */
export type { Brand } from './brand.ts';
export { canonicalJson, type JsonObject, type JsonValue } from './canonical-json.ts';
export { type Clock, secondsAfter, systemClock, toNumericDate } from './clock.ts';
export { DeadlineError, withDeadline } from './deadline.ts';
export { invariant } from './invariant.ts';
export { namePattern } from './name.ts';
export { type Random, systemRandom } from './random.ts';
export { createRecentMemo, type RecentMemo } from './recent-memo.ts';
export { type Fail, type Failure, fail, type Ok, ok, type Result } from './result.ts';
export { isTransientError } from './transient-error.ts';
export {
  createTransientMap,
  createTransientSet,
  type TransientMap,
  type TransientSet,
} from './transient-map.ts';
export { type TypeId, type TypeIdKind, typeId } from './type-id.ts';
export { startWorkSlice, type WorkSlice } from './work-slice.ts';
