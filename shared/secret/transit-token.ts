import { z } from 'zod';
import type { Clock, Random } from '../kernel/index.ts';
import { KeyWrapperError } from './key-wrapper.ts';
import { readSecretFile } from './secret-file.ts';
import { describe, errorsOf, postTransit, type TransitServer } from './transit-request.ts';

export type TransitToken = {
  current(): Promise<string>;
  /** To be called when the server refused it: the next `current` is a new one where one can be had. */
  refused(): void;
};

/** A token that something else writes and renews, as an agent does. Read for every use: it may have changed. */
export function fileTransitToken(path: string): TransitToken {
  return { current: () => readSecretFile(path), refused: () => undefined };
}

export type KubernetesLogin = {
  readonly role: string;
  /** Of the projected service-account token; the kubelet replaces it long before it ends. */
  readonly tokenFile: string;
  /** Where the auth method is mounted. */
  readonly mount: string;
};

const loginAnswer = z.object({
  auth: z.object({ client_token: z.string().min(1).max(4096), lease_duration: z.number().min(0) }),
});

/**
 * Exchanges the pod's own identity for a token. Renewal is another login at two thirds of the lease: unlike
 * `renew-self` that has no last time (`token_max_ttl`), and needs no right of the token's own.
 */
export function kubernetesTransitToken(
  server: TransitServer,
  login: KubernetesLogin,
  deps: { clock: Clock; random: Random },
): TransitToken {
  let held: { readonly token: Promise<string>; renewAt: number } | undefined;
  const logIn = async (mine: { renewAt: number }): Promise<string> => {
    const path = `/v1/auth/${login.mount}/login`;
    const body = { role: login.role, jwt: await readSecretFile(login.tokenFile) };
    const answer = await postTransit(server, deps, { path, body });
    const parsed = loginAnswer.safeParse(answer.body);
    if (answer.status !== 200 || !parsed.success)
      throw new KeyWrapperError(
        `${describe(server, { path })} answers ${answer.status} (${errorsOf(answer)})`,
      );
    const { client_token, lease_duration } = parsed.data.auth;
    // A lease of 0 has no end.
    if (lease_duration > 0) mine.renewAt = deps.clock.now().getTime() + (lease_duration * 1000 * 2) / 3;
    return client_token;
  };
  return {
    current: () => {
      if (held !== undefined && deps.clock.now().getTime() < held.renewAt) return held.token;
      // Calls that arrive meanwhile share the login; a failed one is forgotten.
      const mine = { renewAt: Number.POSITIVE_INFINITY };
      const token = logIn(mine).catch((error: unknown) => {
        held = undefined;
        throw error;
      });
      held = Object.assign(mine, { token });
      return token;
    },
    refused: () => {
      held = undefined;
    },
  };
}
