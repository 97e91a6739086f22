import { systemClock } from '../kernel/index.ts';
import { assemblePep } from './assemble-pep.ts';
import type { Pep, PepOptions } from './pep.ts';

/** Throws when the options make no sense; after that nothing of it throws but `require`. */
export function createPep(options: PepOptions): Pep {
  return assemblePep({ fetch: (...call) => globalThis.fetch(...call), clock: systemClock }, options);
}
