import type { Clock, Random } from '../kernel/index.ts';
import { openFileKeyWrapper } from './key-wrapper.file.ts';
import { createTransitKeyWrapper } from './key-wrapper.transit.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import { fileTransitToken, kubernetesTransitToken } from './transit-token.ts';
import { parseTransitUrl } from './transit-url.ts';

/** As `keyWrapperConfig` of shared/config reads it from the environment. */
export type KeyWrapperConfig = {
  readonly KEY_WRAPPER_URL?: string | undefined;
  readonly WRAPPING_KEY_FILE?: string | undefined;
};

/**
 * For composition roots: the wrapper that the configuration names, a transit engine (see `parseTransitUrl`) or a key
 * file. With both, the engine wraps and the file still unwraps what it once wrapped, so a deployment moves from one
 * to the other by a re-wrap. Throws when there is neither.
 */
export async function openKeyWrapper(
  deps: { clock: Clock; random: Random },
  config: KeyWrapperConfig,
): Promise<KeyWrapper> {
  const { KEY_WRAPPER_URL: url, WRAPPING_KEY_FILE: path } = config;
  const transit = url === undefined ? undefined : openTransit(deps, url);
  const file = path === undefined ? undefined : await openFileKeyWrapper(deps, path);
  if (transit !== undefined && file !== undefined) return succeed(transit, file);
  const only = transit ?? file;
  if (only === undefined) throw new Error('WRAPPING_KEY_FILE is not set, and KEY_WRAPPER_URL neither');
  return only;
}

function openTransit(deps: { clock: Clock; random: Random }, url: string): KeyWrapper {
  const { server, key, tokenFile, kubernetes } = parseTransitUrl(url);
  const token =
    kubernetes === undefined
      ? fileTransitToken(tokenFile)
      : kubernetesTransitToken(server, { ...kubernetes, tokenFile }, deps);
  return createTransitKeyWrapper({ server, token, random: deps.random }, key);
}

/** Each tells bytes that are not of its own form apart without asking anybody. */
function succeed(successor: KeyWrapper, predecessor: KeyWrapper): KeyWrapper {
  return {
    currentKeyId: successor.currentKeyId,
    wrap: successor.wrap,
    unwrap: async (wrapped, context) => {
      const old = await predecessor.unwrap(wrapped, context);
      return old.ok ? old : successor.unwrap(wrapped, context);
    },
  };
}
