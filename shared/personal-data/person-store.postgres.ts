import { sql } from 'kysely';
import type { PersonStore } from './person-store.ts';

const redacted = 'erased';
// Reserved by RFC 2606: no mail can be sent there.
const pseudonymousDomain = 'erased.invalid';

export const postgresPersonStore: PersonStore = {
  lock: async (tx, userId) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`erase:${userId}`}, 0))`.execute(tx);
  },
  findMember: async (tx, userId) => {
    const row = await tx
      .selectFrom('membership')
      .select(['managed_by', 'email'])
      .where('user_id', '=', userId)
      .forUpdate()
      .executeTakeFirst();
    return row && { managedBy: row.managed_by, isPseudonymous: row.email === toEmail(userId) };
  },
  isInTrail: async (tx, userId) => {
    const row = await tx
      .selectFrom('audit_event')
      .select('event_id')
      .where('subject', '=', userId)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  },
  pseudonymise: async (tx, userId, at) => {
    await tx
      .updateTable('membership')
      .set({
        name: toName(userId),
        email: toEmail(userId),
        display_name: 'Erased',
        status: 'disabled',
        updated_at: at,
      })
      .where('user_id', '=', userId)
      .execute();
  },
  redactPlans: async (tx, userId) => {
    // Plans know people by name. Another person who had the name at another time is redacted with them.
    const changed = await sql`
      with person (name) as (
        select name from membership where user_id = ${userId}
        union
        select leaf::jsonb -> 'data' ->> 'name' from audit_event
         where subject = ${userId} and type like 'uos.membership.%'
      ),
      redacted (run_id, changes) as (
        select r.run_id, jsonb_agg(
                 case when p.name is null then change else
                   jsonb_set(
                     jsonb_set(change, '{entity,spec}', ${redactedSpec}::jsonb, false),
                     '{before,spec}', ${redactedSpec}::jsonb, false)
                 end order by place)
          from reconcile_run r
          cross join lateral jsonb_array_elements(r.plan -> 'changes') with ordinality c (change, place)
          left join person p
            on change -> 'entity' ->> 'kind' = 'user' and change -> 'entity' ->> 'name' = p.name
         group by r.run_id
        having bool_or(p.name is not null and change -> 'entity' -> 'spec' <> ${redactedSpec}::jsonb)
      )
      update reconcile_run r set plan = jsonb_set(r.plan, '{changes}', redacted.changes)
        from redacted where r.run_id = redacted.run_id`.execute(tx);
    return Number(changed.numAffectedRows ?? 0n);
  },
};

const redactedSpec = JSON.stringify({ email: redacted, displayName: redacted });

/** A DNS label, as names are. */
function toName(userId: string): string {
  return userId.replace('_', '-');
}

function toEmail(userId: string): string {
  return `${toName(userId)}@${pseudonymousDomain}`;
}
