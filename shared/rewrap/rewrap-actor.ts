import type { Actor } from '../events/index.ts';

/** Who does what was asked for: the schedule. Who asked is in the request's own event. */
export const actor: Actor = { type: 'system', id: 'key-rotation' };
