import type { Selectable } from 'kysely';
import { z } from 'zod';
import { addLocator, type Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import { jsonWebKeySetSchema } from '../remote-jwks/index.ts';
import { serviceAccountId } from '../service-account/index.ts';
import { requiredClaimSchema } from './required-claim.ts';
import type { TrustRule } from './trust-rule.ts';
import { trustRuleId } from './trust-rule-id.ts';
import type { TrustRuleStore } from './trust-rule-store.ts';

const columns = [
  'org_id',
  'trust_rule_id',
  'service_account_id',
  'name',
  'issuer',
  'audience',
  'subject_pattern',
  'required_claims',
  'token_age_seconds_max',
  'token_use',
  'scopes',
  'jwks',
  'status',
  'created_at',
  'created_by',
  'updated_at',
] as const;

export const postgresTrustRuleStore: TrustRuleStore = {
  add: async (tx, rule) => {
    const added = await tx
      .insertInto('trust_rule')
      .values(toRow(rule))
      .onConflict((conflict) => conflict.columns(['org_id', 'service_account_id', 'name']).doNothing())
      .returning('trust_rule_id')
      .executeTakeFirst();
    if (added !== undefined) await addLocator(tx, rule.id, rule.organizationId);
    return added !== undefined;
  },
  find: async (tx, id) => {
    const row = await tx
      .selectFrom('trust_rule')
      .select(columns)
      .where('trust_rule_id', '=', id)
      .executeTakeFirst();
    return row && toTrustRule(row);
  },
  list: async (tx, account) => {
    const rows = await tx
      .selectFrom('trust_rule')
      .select(columns)
      .where('service_account_id', '=', account)
      .orderBy('trust_rule_id', 'desc')
      .execute();
    return rows.map(toTrustRule);
  },
  setStatus: async (tx, { id, status, at }) => {
    const row = await tx
      .updateTable('trust_rule')
      .set({ status, updated_at: at })
      .where('trust_rule_id', '=', id)
      .where('status', '<>', status)
      .returning(columns)
      .executeTakeFirst();
    return row && toTrustRule(row);
  },
  remove: async (tx, id) => {
    const row = await tx
      .deleteFrom('trust_rule')
      .where('trust_rule_id', '=', id)
      .returning(columns)
      .executeTakeFirst();
    return row && toTrustRule(row);
  },
};

function toRow(rule: TrustRule) {
  return {
    org_id: rule.organizationId,
    trust_rule_id: rule.id,
    service_account_id: rule.serviceAccountId,
    name: rule.name,
    issuer: rule.issuer,
    audience: rule.audience,
    subject_pattern: rule.subjectPattern,
    required_claims: JSON.stringify(rule.requiredClaims),
    token_age_seconds_max: rule.tokenAgeSecondsMax,
    token_use: rule.tokenUse,
    scopes: rule.scopes === undefined ? null : [...rule.scopes],
    jwks: rule.jwks === undefined ? null : JSON.stringify(rule.jwks),
    status: rule.status,
    created_at: rule.createdAt,
    created_by: rule.createdBy,
    updated_at: rule.updatedAt,
  };
}

function toTrustRule(row: Selectable<Rows.TrustRuleRow>): TrustRule {
  return {
    organizationId: organizationId.require(row.org_id),
    id: trustRuleId.require(row.trust_rule_id),
    serviceAccountId: serviceAccountId.require(row.service_account_id),
    name: row.name,
    issuer: row.issuer,
    audience: row.audience,
    subjectPattern: row.subject_pattern,
    requiredClaims: z.array(requiredClaimSchema).parse(row.required_claims),
    tokenAgeSecondsMax: row.token_age_seconds_max,
    tokenUse: row.token_use,
    scopes: row.scopes ?? undefined,
    jwks: row.jwks === null ? undefined : jsonWebKeySetSchema.parse(row.jwks),
    status: row.status,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
  };
}
