import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import {
  type Decision,
  type EvaluationRequest,
  evaluateAccess,
  narrowToCredential,
  type PolicyEngine,
  type SubjectFactsSource,
} from '../../shared/authorization/index.ts';
import { CommandError } from './command.ts';
import type { Answer, Redecided } from './replay-report.ts';

const named = z.object({ type: z.string(), id: z.string() });
const attributes = z.record(z.string(), z.unknown()).optional();

/** What a replay needs of a line of a segment; see shared/decision-record. */
const lineSchema = z.object({
  time: z.iso.datetime(),
  organization: z.string(),
  request_id: z.string(),
  principal: named.extend({ scopes: z.array(z.string()).exactOptional() }).optional(),
  subject: named,
  action: z.string(),
  resource: named,
  attributes: z
    .object({ subject: attributes, action: attributes, resource: attributes, context: attributes })
    .optional(),
  attributes_left_out: z.number().optional(),
  masked: z.array(z.string()).optional(),
  masked_left_out: z.number().optional(),
  shortened: z.boolean().optional(),
  decision: z.boolean(),
  code: z.string(),
  rule: z.string().optional(),
  privileged: z.boolean().optional(),
});

export type RecordedLine = z.output<typeof lineSchema>;

/**
 * Why a record cannot be asked again. `search`: one stands for a whole page of a search, and names no question that was
 * decided. `shortened`: its names are not those that were asked about.
 */
export function whyNotAsked({ code, shortened }: RecordedLine): 'search' | 'shortened' | undefined {
  if (code === 'searched') return 'search';
  return shortened === true ? 'shortened' : undefined;
}

/** Records of segments, one after the other; a damaged segment or line ends the replay, which could mislead. */
export async function* readSegments(paths: readonly string[]): AsyncGenerator<RecordedLine> {
  for (const path of paths) {
    let number = 0;
    try {
      // Unpacked as it is read: a segment may hold more than fits.
      const input = createReadStream(path).on('error', (error) => unpacked.destroy(error));
      const unpacked = path.endsWith('.gz') ? input.pipe(createGunzip()) : input;
      for await (const line of createInterface({ input: unpacked, crlfDelay: Number.POSITIVE_INFINITY })) {
        number++;
        if (line !== '') yield lineSchema.parse(JSON.parse(line));
      }
    } catch (error) {
      const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      throw new CommandError(`${path}${number === 0 ? '' : `, line ${number}`}: ${reason}`);
    }
  }
}

export type RecordsReplay = {
  readonly asked: Redecided;
  /** The old bundle, on the facts of today, does not say what was recorded: facts have changed, or attributes lack. */
  readonly isChangedSince: boolean;
  /** Not all that was asked with is in the record. */
  readonly isIncomplete: boolean;
};

/**
 * Asks one record again: with its own time and attributes, and with the facts there are now. A record names no facts,
 * which would be a copy of the database a line; so the old bundle, when given, is asked on the same facts of today,
 * and what flips does so by the policy alone.
 */
export async function replayRecord(
  deps: {
    readonly facts: SubjectFactsSource;
    readonly bundle: PolicyEngine;
    readonly against?: PolicyEngine;
  },
  line: RecordedLine,
): Promise<RecordsReplay> {
  const ask = (engine: PolicyEngine) => askAgain({ facts: deps.facts, engine }, line);
  const after = await ask(deps.bundle);
  const before = deps.against === undefined ? line : await ask(deps.against);
  const { organization, subject, action, resource } = line;
  return {
    asked: {
      name: line.request_id,
      organization,
      subject,
      action,
      resource,
      before: toAnswer(before),
      after: toAnswer(after),
    },
    isChangedSince: deps.against !== undefined && before.decision !== line.decision,
    isIncomplete:
      (line.attributes_left_out ?? line.masked_left_out) !== undefined || (line.masked ?? []).length > 0,
  };
}

/** Facts that cannot be had end the replay: the refusal that is made of it would look like a flip. */
async function askAgain(
  deps: { readonly facts: SubjectFactsSource; readonly engine: PolicyEngine },
  line: RecordedLine,
): Promise<Decision> {
  const clock = { now: () => new Date(line.time) };
  const { organization: organizationId, principal } = line;
  const facts =
    principal === undefined ? deps.facts : narrowToCredential(deps.facts, { ...principal, organizationId });
  const decision = await evaluateAccess(
    { ...deps, facts, clock },
    { organizationId, request: toRequest(line) },
  );
  if (decision.revision !== undefined) return decision;
  throw new CommandError(`the facts could not be had: ${decision.cause}`, { cause: decision.cause });
}

function toRequest({ subject, action, resource, attributes: sent = {} }: RecordedLine): EvaluationRequest {
  return {
    subject: { ...subject, properties: sent.subject },
    action: { name: action, properties: sent.action },
    resource: { ...resource, properties: sent.resource },
    context: sent.context,
  };
}

function toAnswer({ decision, code, rule }: Pick<RecordedLine, 'decision' | 'code' | 'rule'>): Answer {
  return { decision, code, ...(rule === undefined ? {} : { rule }) };
}
