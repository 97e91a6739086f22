import { benchParts } from './bench-parts.ts';
import { measureLoss } from './measure-loss.ts';
import { measureMemory } from './measure-memory.ts';
import { measureOverload } from './measure-overload.ts';
import { measurePeers } from './measure-peers.ts';
import { measureRates } from './measure-rates.ts';
import { measureRevocation } from './measure-revocation.ts';

/**
 * The decision point with everything on (caller proven, facts from PostgreSQL and cache, decisions recorded) beside its
 * database and the load generator on one machine.
 */
export const benchAuthorize = benchParts({
  rates: measureRates,
  peers: measurePeers,
  overload: measureOverload,
  loss: measureLoss,
  revocation: measureRevocation,
  memory: measureMemory,
});
