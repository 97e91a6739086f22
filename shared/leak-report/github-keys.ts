import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { type Clock, fail, ok, type Result } from '../kernel/index.ts';
import type { FetchRemoteJson } from '../remote-jwks/index.ts';

/** Where GitHub publishes the keys that it signs alerts with. */
export const githubKeysUrl = 'https://api.github.com/meta/public_keys/secret_scanning';

export type GithubKeyFailure =
  | { readonly code: 'github_key.unknown' }
  /** `reason` is for logs. */
  | { readonly code: 'github_key.unavailable'; readonly reason: string };

export type GithubKeys = {
  find(identifier: string): Promise<Result<KeyObject, GithubKeyFailure>>;
};

export type GithubKeysDeps = {
  readonly fetchJson: FetchRemoteJson;
  /** Chosen by the operator, who may use a mirror inside: see `githubKeysUrl`. */
  readonly url: string;
  readonly clock: Clock;
};

const freshMs = 3_600_000;
/** How long a list that cannot be fetched anew goes on being believed. */
const graceMs = 86_400_000;
/** Between attempts: after a failure, and for a key that the list does not hold. */
const retryMs = 10_000;
const unknownKeyMs = 60_000;

type KeyList = { readonly keys: ReadonlyMap<string, KeyObject>; readonly fetchedAt: number };
type State = { list?: KeyList; failure?: string; attemptedAt?: number; pending?: Promise<void> };

/**
 * Remembers GitHub's list for an hour. Whoever sends an alert chooses its key's name: for one that the list does not
 * hold it is fetched at most once a minute, a failure is remembered too, and requests share a fetch.
 */
export function createGithubKeys(deps: GithubKeysDeps): GithubKeys {
  const state: State = {};
  const refresh = async (now: number) => {
    const fetched = await fetchKeys(deps);
    if (fetched.ok) {
      state.list = { keys: fetched.value, fetchedAt: now };
      delete state.failure;
    } else state.failure = fetched.failure.reason;
  };
  return {
    find: async (identifier) => {
      const now = deps.clock.now().getTime();
      if (state.pending === undefined && isDue(state, identifier, now)) {
        state.attemptedAt = now;
        state.pending = refresh(now).finally(() => {
          delete state.pending;
        });
      }
      if (!holds(state, identifier, now)) await state.pending;
      return answer(state, identifier, now);
    },
  };
}

function holds({ list }: State, identifier: string, now: number): boolean {
  return list !== undefined && now < list.fetchedAt + freshMs && list.keys.has(identifier);
}

function isDue(state: State, identifier: string, now: number): boolean {
  if (holds(state, identifier, now)) return false;
  const pauseMs = state.failure === undefined ? unknownKeyMs : retryMs;
  return state.attemptedAt === undefined || now >= state.attemptedAt + pauseMs;
}

function answer(
  { list, failure }: State,
  identifier: string,
  now: number,
): Result<KeyObject, GithubKeyFailure> {
  const isBelieved = list !== undefined && now < list.fetchedAt + graceMs;
  const key = isBelieved ? list.keys.get(identifier) : undefined;
  if (key !== undefined) return ok(key);
  // Only a list that was just fetched can say that there is no such key.
  if (isBelieved && failure === undefined) return fail({ code: 'github_key.unknown' });
  return fail({ code: 'github_key.unavailable', reason: failure ?? 'not_fetched' });
}

const listSchema = z.object({
  public_keys: z
    .array(z.object({ key_identifier: z.string().max(256), key: z.string().max(4_096) }))
    .max(100),
});

type Fetched = Result<ReadonlyMap<string, KeyObject>, { readonly code: string; readonly reason: string }>;

async function fetchKeys({ fetchJson, url }: GithubKeysDeps): Promise<Fetched> {
  const fetched = await fetchJson(url, { isInternal: true });
  if (!fetched.ok) return fetched;
  const list = listSchema.safeParse(fetched.value.value);
  if (!list.success) return fail({ code: 'github_key.unavailable', reason: 'not_a_key_list' });
  const keys = list.data.public_keys.flatMap(({ key_identifier, key }) => {
    const opened = toKey(key);
    return opened === undefined ? [] : [[key_identifier, opened] as const];
  });
  return ok(new Map(keys));
}

/** P-256 alone: with a key of another kind, another algorithm would be run than the one that GitHub states. */
function toKey(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}
