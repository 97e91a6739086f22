import { withOrg } from '../../shared/db/index.ts';
import { type DecisionKey, findDecisions } from '../../shared/decision-record/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { ok, type Result, secondsAfter } from '../../shared/kernel/index.ts';
import {
  decisionsView,
  formatCursor,
  listDecisionsQuery,
  parseCursor,
  toDecisionView,
} from './list-decisions.schema.ts';
import { defineOperation } from './operation.ts';
import { malformed } from './parse-request.ts';

const daySeconds = 86_400;
const windowDaysMax = 7;

export const listDecisionsOperation = defineOperation({
  id: 'listDecisions',
  method: 'get',
  path: '/v1/organizations/{org}/decisions',
  summary:
    'Find what was decided and why, newest first, each checked against the audit log; that it was read is recorded',
  permission: 'audit:read',
  query: listDecisionsQuery,
  response: decisionsView,
  act: async (deps, { actor, organization, query }) => {
    const window = toWindow(query, deps.clock.now());
    if (!window.ok) return window;
    const { journal, segments } = deps.stores.decisions;
    const found = await findDecisions(
      { pool: deps.pool, objects: deps.objects, journal, segments },
      {
        organizationId: organization.id,
        ...window.value,
        keys: toKeys(query),
        limit: query.limit,
        after: parseCursor(query.cursor),
      },
    );
    // Recorded before it is shown: nobody reads the record unrecorded.
    await withOrg(deps.pool, organization.id, (tx) =>
      deps.events.record(tx, organization.id, {
        type: 'uos.decision-log.read.v1',
        subject: organization.id,
        actor,
        data: { count: found.decisions.length },
      }),
    );
    return ok({
      body: {
        items: found.decisions.map(toDecisionView),
        damaged: found.damaged,
        ...(found.next === undefined ? {} : { nextCursor: formatCursor(found.next) }),
      },
    });
  },
});

type Query = { from?: string | undefined; to?: string | undefined };

function toWindow(query: Query, now: Date): Result<{ from: Date; to: Date }, ProblemFailure> {
  // What is being decided as this is asked is of now too.
  const to = query.to === undefined ? secondsAfter(now, 1) : new Date(query.to);
  const from = query.from === undefined ? secondsAfter(to, -daySeconds) : new Date(query.from);
  const seconds = (to.getTime() - from.getTime()) / 1000;
  if (seconds <= 0) return malformed([{ path: 'query.to', message: 'must be after query.from' }]);
  if (seconds > windowDaysMax * daySeconds)
    return malformed([
      { path: 'query.from', message: `must be at most ${windowDaysMax} days before query.to` },
    ]);
  return ok({ from, to });
}

function toKeys(query: {
  requestId?: string | undefined;
  principal?: string | undefined;
  resource?: string | undefined;
}): DecisionKey[] {
  const { requestId, principal, resource } = query;
  return [
    ...(requestId === undefined ? [] : [{ kind: 'request' as const, value: requestId }]),
    ...(principal === undefined ? [] : [{ kind: 'principal' as const, value: principal }]),
    ...(resource === undefined ? [] : [{ kind: 'resource' as const, value: resource }]),
  ];
}
