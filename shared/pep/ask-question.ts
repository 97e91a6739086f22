import type { DecisionCache } from './decision-cache.ts';
import { readLifetimeMs } from './decision-lifetime.ts';
import type { AskDecisionPoint, DecisionPointAnswer } from './decision-point.ts';
import { type Outcome, undecided } from './outcome.ts';
import type { CallContext, PepOptions } from './pep.ts';
import type { PepLimits } from './pep-limits.ts';
import { type Question, type QuestionWire, toKey, toQuestionWire } from './question.ts';
import { readCredential } from './read-credential.ts';
import { readOutcome } from './read-outcome.ts';

export type AskDeps = {
  readonly credential: PepOptions['credential'];
  readonly limits: PepLimits;
  readonly ask: AskDecisionPoint;
  readonly cache: DecisionCache;
  readonly join: (key: string, work: () => Promise<Outcome>) => Promise<Outcome>;
};

/** Access Evaluation, AuthZEN 1.0 section 6: from the cache, from an identical question under way, or asked. */
export async function askQuestion(deps: AskDeps, question: Question, call: CallContext): Promise<Outcome> {
  const wire = toQuestionWire(question);
  if (wire === undefined) return undecided({ code: 'question.malformed' });
  const credential = await readCredential(deps.credential);
  if (!credential.ok) return undecided(credential.failure);
  const key = toDecisionKey(credential.value, wire);
  // Reasons carry the obligations, and with them step-up. Decision points that do not know the member ignore it.
  const body = `${wire.json.slice(0, -1)},"options":{"reasons":true}}`;
  return (
    deps.cache.find(key) ??
    deps.join(key, async () => {
      const asked = await deps.ask('/access/v1/evaluation', { ...call, credential: credential.value, body });
      if (!asked.ok) return undecided(asked.failure);
      const outcome = readOutcome(asked.value.json);
      keepOutcome(deps.cache, { key, outcome, answer: asked.value.json, response: asked.value });
      return outcome;
    })
  );
}

/** Who asks is part of the question: each caller is answered about its own organization. */
export function toDecisionKey(credential: string, wire: QuestionWire): string {
  return toKey([credential, ...wire.members]);
}

/** `answer` is the one decision, `response` what it came in. */
export function keepOutcome(
  cache: DecisionCache,
  made: { key: string; outcome: Outcome; answer: unknown; response: DecisionPointAnswer },
): void {
  const { askedAt, headers } = made.response;
  const lifetimeMs = readLifetimeMs(made.answer, headers, askedAt);
  cache.keep(made.key, made.outcome, { askedAt, lifetimeMs });
}
