import { decodeJwt, decodeProtectedHeader } from 'jose';
import { LRUCache } from 'lru-cache';
import { fingerprintOf } from '../../shared/api-key/index.ts';
import { type DatabasePool, locate, withOrg } from '../../shared/db/index.ts';
import type { EventRecorder } from '../../shared/events/index.ts';
import { type Clock, invariant, secondsAfter } from '../../shared/kernel/index.ts';
import type { ClientKey } from './client-authentication.ts';

export type RecordTokenDeps = {
  readonly pool: DatabasePool;
  readonly events: EventRecorder;
  readonly clock: Clock;
};

/** Records the token that is about to leave, as read from the token itself. Throws when it cannot be recorded. */
export async function recordIssuedToken(
  deps: RecordTokenDeps,
  issued: { apiKey: ClientKey; jwt: string },
): Promise<void> {
  const { jti, exp, aud, scope } = decodeJwt<{ scope?: string }>(issued.jwt);
  const { kid } = decodeProtectedHeader(issued.jwt);
  invariant(jti && exp && kid && typeof aud === 'string', 'an issued token lacks jti, exp, kid or aud');
  const { organizationId, serviceAccountId, id, lastFour } = issued.apiKey;
  await withOrg(deps.pool, organizationId, (tx) =>
    deps.events.record(tx, organizationId, {
      type: 'uos.token.issued.v1',
      subject: serviceAccountId,
      actor: { type: 'service_account', id: serviceAccountId },
      data: {
        tokenId: jti,
        keyId: kid,
        audience: aud,
        scope: scope ?? '',
        expiresAt: new Date(exp * 1000).toISOString(),
        fingerprint: fingerprintOf(id, lastFour),
      },
    }),
  );
}

export type RefusalRecorder = { record(refusal: { clientId: string; reason: string }): Promise<void> };

const quietSeconds = 60;
const clientsMax = 10_000;

/**
 * Records refusals of known clients, at most one a minute for each client and reason: anybody who knows a client id
 * can cause them, and must not be able to fill an organization's audit log.
 */
export function createRefusalRecorder(deps: RecordTokenDeps): RefusalRecorder {
  const recordedAt = new LRUCache<string, Date>({ max: clientsMax });
  return {
    record: async ({ clientId, reason }) => {
      const organizationId = await locate(deps.pool, clientId);
      if (organizationId === undefined) return;
      const now = deps.clock.now();
      const last = recordedAt.get(`${clientId} ${reason}`);
      if (last !== undefined && now < secondsAfter(last, quietSeconds)) return;
      recordedAt.set(`${clientId} ${reason}`, now);
      await withOrg(deps.pool, organizationId, (tx) =>
        deps.events.record(tx, organizationId, {
          type: 'uos.token.refused.v1',
          subject: clientId,
          // Whoever it was did not prove to be the client.
          actor: { type: 'system', id: 'token' },
          data: { reason },
        }),
      );
    },
  };
}
