import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';

/** The addresses of a name; none when it has none or nobody could say. Obeys the signal: what is abandoned ends. */
export type ResolveName = (hostname: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

export type PublicResolverOptions = {
  /** In place of those that the machine names, `address:port`. */
  readonly servers?: readonly string[];
  readonly tryTimeoutMs?: number;
};

const tryTimeoutMsDefault = 1_000;
const tries = 2;

/**
 * Names that a tenant chose. Not `lookup`: getaddrinfo holds one of libuv's few threads until the name's own server
 * answers, nobody can call it off, and the database's, Redis's and GitHub's names wait behind it. A resolver of its own
 * for each name, since calling one off ends all that it asks.
 */
export function createPublicResolver(options: PublicResolverOptions = {}): ResolveName {
  const { servers, tryTimeoutMs: timeout = tryTimeoutMsDefault } = options;
  return async (hostname, signal) => {
    if (signal.aborted) return [];
    const resolver = new Resolver({ timeout, tries });
    if (servers !== undefined) resolver.setServers([...servers]);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const asked = [
        resolver.resolve4(hostname).then((found) => found.map((address) => ({ address, family: 4 }))),
        resolver.resolve6(hostname).then((found) => found.map((address) => ({ address, family: 6 }))),
      ];
      const answers = await Promise.allSettled(asked);
      return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  };
}

/** Names that the operator lists: they may stand in the machine's hosts file, or need its search domains. */
export const resolveInternalName: ResolveName = (hostname) => lookup(hostname, { all: true }).catch(() => []);

/**
 * At most so many names under way at once, the abandoned ones included; whoever comes then is told that there is no
 * room, and does not wait.
 */
export function limitResolving(
  resolve: ResolveName,
  underWayMax: number,
): (hostname: string, signal: AbortSignal) => Promise<readonly LookupAddress[] | 'busy'> {
  let underWay = 0;
  return async (hostname, signal) => {
    if (underWay >= underWayMax) return 'busy';
    underWay += 1;
    try {
      return await resolve(hostname, signal);
    } catch {
      return [];
    } finally {
      underWay -= 1;
    }
  };
}
