import {
  type ApiKeyDeps,
  type ApiKeyId,
  type ApiKeyRefusal,
  parseApiKeyText,
  revokeApiKey,
  verifyApiKey,
} from '../api-key/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { LeakLabel, LeakSource } from './leak-report.ts';
import type { LeakReportStore } from './leak-report-store.ts';
import { recordEndedLeak } from './record-ended-leak.ts';

export type ReportLeakedKeysDeps = Omit<ApiKeyDeps, 'random'> & { readonly reports: LeakReportStore };

export type ReportLeakedKeysInput = {
  /** As they were found; the caller bounds how many. */
  readonly texts: readonly string[];
  readonly source: LeakSource;
};

/**
 * Revokes every key whose text is among these, with the reason `leaked` and the source as the actor, and says of each
 * text, in the given order, whether it is one. Having the text is the proof: whoever has it could as well use it, and
 * a key that others have is better dead. A key that is disabled, has expired or whose account is disabled is revoked
 * too, for any of that may be undone; one whose secret a rotation has ended is not, and the leak recorded. Repeating it changes and records nothing. Throws when a part is down, with the
 * keys before it revoked.
 */
export async function reportLeakedKeys(
  deps: ReportLeakedKeysDeps,
  { texts, source }: ReportLeakedKeysInput,
): Promise<LeakLabel[]> {
  const labels = new Map<string, LeakLabel>();
  // One after the other: a report of hundreds must not take the connections of those who ask for tokens.
  for (const text of new Set(texts)) labels.set(text, await reportOne(deps, text, source));
  return texts.map((text) => labels.get(text) ?? 'false_positive');
}

async function reportOne(deps: ReportLeakedKeysDeps, text: string, source: LeakSource): Promise<LeakLabel> {
  const key = await findKeyOf(deps, text);
  if (key === undefined) return 'false_positive';
  const actor = { type: 'system', id: `leak-report:${source}` } as const;
  if (key.isEnded) await recordEndedLeak(deps, { ...key, actor, lastFour: text.slice(-4) });
  else await revokeApiKey(deps, { ...key, actor, reason: 'leaked' });
  return 'true_positive';
}

type KeyOf = {
  readonly organizationId: OrganizationId;
  readonly keyId: ApiKeyId;
  /** Whether a rotation has ended the secret. */
  readonly isEnded: boolean;
};

/** Refusals of a text that is no key's secret: wrong, or none at all. Of all others the secret was right. */
const notASecret: ReadonlySet<ApiKeyRefusal['reason']> = new Set(['malformed', 'unknown', 'wrong_secret']);

async function findKeyOf(deps: ReportLeakedKeysDeps, text: string): Promise<KeyOf | undefined> {
  const parsed = parseApiKeyText(text);
  if (!parsed.ok) return undefined;
  const verified = await verifyApiKey(deps, text);
  if (!verified.ok && notASecret.has(verified.failure.reason)) return undefined;
  const keyId = parsed.value.id;
  const organizationId = await deps.store.locate(keyId);
  const isEnded = !verified.ok && verified.failure.reason === 'superseded';
  return organizationId && { organizationId, keyId, isEnded };
}
