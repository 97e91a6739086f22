import { decodeJwt, decodeProtectedHeader } from 'jose';
import { LRUCache } from 'lru-cache';
import { type DatabasePool, locate, withOrg } from '../../shared/db/index.ts';
import type { EventRecorder } from '../../shared/events/index.ts';
import { type Clock, fail, invariant, ok, type Result, secondsAfter } from '../../shared/kernel/index.ts';
import type { TokenUseStore } from '../../shared/workload-identity/index.ts';
import type { Grant } from './grant.ts';

export type RecordTokenDeps = {
  readonly pool: DatabasePool;
  readonly events: EventRecorder;
  readonly tokenUses: Pick<TokenUseStore, 'add'>;
  readonly clock: Clock;
};

/**
 * Records the token that is about to leave, as read from the token itself, and uses up the foreign token it was given
 * for: both or neither, so that a fault of ours costs a workload nothing, and of many requests with one token exactly
 * one gets an answer. Throws when it cannot be recorded.
 */
export async function recordIssuedToken(
  deps: RecordTokenDeps,
  { grant, jwt }: { grant: Grant; jwt: string },
): Promise<Result<undefined, { readonly code: 'foreign_token.already_used' }>> {
  const { organizationId, subject, actors, workload } = grant;
  const data = toEventData(grant, jwt);
  return withOrg(deps.pool, organizationId, async (tx) => {
    if (workload?.use !== undefined && !(await deps.tokenUses.add(tx, workload.use)))
      return fail({ code: 'foreign_token.already_used' });
    await deps.events.record(tx, organizationId, {
      type: 'uos.token.issued.v1',
      subject,
      actor: { type: 'service_account', id: actors[0]?.subject ?? subject },
      data,
    });
    return ok(undefined);
  });
}

function toEventData({ issuedFor, actors, workload, fingerprint }: Grant, jwt: string) {
  const { jti, exp, aud, scope } = decodeJwt<{ scope?: string }>(jwt);
  const { kid } = decodeProtectedHeader(jwt);
  invariant(jti && exp && kid && typeof aud === 'string', 'an issued token lacks jti, exp, kid or aud');
  return {
    tokenId: jti,
    keyId: kid,
    audience: aud,
    scope: scope ?? '',
    expiresAt: new Date(exp * 1000).toISOString(),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(issuedFor.type === 'trust_rule' ? { trustRuleId: issuedFor.id } : {}),
    ...(workload === undefined ? {} : { workload: workload.subject }),
    ...(actors.length === 0 ? {} : { actors: actors.map((actor) => actor.subject) }),
  };
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
