import { fail, type Result } from '../kernel/index.ts';
import { type Outcome, type PepFailure, undecided } from './outcome.ts';
import type { EvaluationsSemantic } from './pep.ts';

/** A question ready to be sent: its JSON, its key, and what is known of its outcome without asking. */
export type BatchItem = { readonly json: string; readonly key: string; readonly known: Outcome | undefined };
export type BatchLimits = { readonly itemsMax: number; readonly bytesMax: number };

/** Outcomes in the order of the items; fewer only when the last one decides. */
export type AskBatch = (items: readonly BatchItem[]) => Promise<Result<readonly Outcome[], PepFailure>>;

/** True for the outcome that ends a batch. A failed item counts as a denial (AuthZEN 1.0 section 7.1.1). */
export function isDeciding({ decision }: Outcome, semantic: EvaluationsSemantic): boolean {
  if (semantic === 'deny_on_first_deny') return !decision;
  return semantic === 'permit_on_first_permit' && decision;
}

/** The outcomes when nothing was decided at all. */
export function undecidedAll(count: number, failure: PepFailure, semantic: EvaluationsSemantic): Outcome[] {
  const length = semantic === 'deny_on_first_deny' ? Math.min(1, count) : count;
  return Array.from({ length }, () => undecided(failure));
}

/**
 * Asks what is not known, batch after batch, in order. What was known takes its place among the answers, and nothing
 * is asked beyond an outcome that decides. After a batch that failed the rest is undecided, unasked.
 */
export async function evaluateItems(
  items: readonly BatchItem[],
  { semantic, limits, ask }: { semantic: EvaluationsSemantic; limits: BatchLimits; ask: AskBatch },
): Promise<readonly Outcome[]> {
  const end = items.findIndex(({ known }) => known !== undefined && isDeciding(known, semantic));
  const wanted = end === -1 ? items : items.slice(0, end + 1);
  const unknown = wanted.filter(({ known }) => known === undefined);
  const answers = askInBatches(splitBatches(unknown, limits), ask);
  const outcomes: Outcome[] = [];
  for (const { known } of wanted) {
    const outcome = known ?? (await answers.next()).value;
    if (outcome === undefined) break;
    outcomes.push(outcome);
    if (isDeciding(outcome, semantic)) break;
  }
  return outcomes;
}

/** Lazily, so that a batch after the deciding answer is never sent. */
async function* askInBatches(
  batches: readonly (readonly BatchItem[])[],
  ask: AskBatch,
): AsyncGenerator<Outcome, undefined> {
  let failure: PepFailure | undefined;
  for (const batch of batches) {
    const answered = failure === undefined ? await ask(batch) : fail(failure);
    if (answered.ok) yield* answered.value;
    else {
      failure = answered.failure;
      yield* batch.map(() => undecided(answered.failure));
    }
  }
  return undefined;
}

/** The brackets, the options and their names. */
const envelopeBytes = 128;

/** In order, each within both limits; an item too long by itself goes alone, for the decision point to refuse. */
function splitBatches(items: readonly BatchItem[], { itemsMax, bytesMax }: BatchLimits): BatchItem[][] {
  const batches: BatchItem[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = new TextEncoder().encode(item.json).length + 1;
    const batch = batches.at(-1);
    if (batch === undefined || batch.length >= itemsMax || bytes + size > bytesMax) {
      batches.push([item]);
      bytes = envelopeBytes + size;
    } else {
      batch.push(item);
      bytes += size;
    }
  }
  return batches;
}
