import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  type Decision,
  type EvaluationRequest,
  evaluateAccess,
  type PolicyEngine,
  parseEvaluationRequest,
  type SubjectFacts,
} from '../../shared/authorization/index.ts';
import type { Clock } from '../../shared/kernel/index.ts';
import { CommandError } from './command.ts';

const attributes = z.record(z.string(), z.unknown());
const organizationId = 'org_01h455vb4pex5vsknk084sn02q';

/**
 * A decision as data, as in tests/decisions: facts that are left out are those of an active user of an active
 * organization. For subjects that only an outside policy knows, `subject.type`, `id` and `properties` are enough.
 */
const caseSchema = z.strictObject({
  name: z.string(),
  organization: z
    .strictObject({
      id: z.string().default(organizationId),
      status: z.enum(['active', 'suspended']).default('active'),
    })
    .prefault({}),
  subject: z
    .looseObject({
      type: z.string().default('user'),
      id: z.string().default('usr_alice'),
      known: z.boolean().default(true),
      status: z.enum(['active', 'disabled']).default('active'),
      teams: z.array(z.string()).default([]),
      groups: z.array(z.string()).exactOptional(),
    })
    .prefault({}),
  bindings: z
    .array(
      z.looseObject({
        id: z.string(),
        role: z.string(),
        permissions: z.array(z.string()).default([]),
        effect: z.enum(['allow', 'deny']).default('allow'),
        scope: z.looseObject({ type: z.string(), id: z.string() }).optional(),
      }),
    )
    .default([]),
  /** What is registered of the resource asked about. */
  registered: z.looseObject({ attributes: attributes.default({}) }).optional(),
  /** Of the subject, in the request. */
  properties: attributes.optional(),
  ask: z.looseObject({ action: z.unknown(), resource: z.unknown() }),
  expect: z.strictObject({
    decision: z.boolean(),
    code: z.string().optional(),
    rule: z.string().optional(),
    binding: z.string().optional(),
    /** Their types. */
    obligations: z.array(z.string()).optional(),
    /** As the asking party is told it; 0: it is told nothing. */
    cache_seconds: z.int().min(0).optional(),
  }),
});

const caseFileSchema = z.strictObject({ about: z.string().optional(), cases: z.array(caseSchema).min(1) });

export type DecisionCase = z.output<typeof caseSchema>;

export async function readCases(path: string): Promise<readonly DecisionCase[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  });
  const parsed = caseFileSchema.safeParse(toValue(path, text));
  if (!parsed.success)
    throw new CommandError(`${path} is no file of cases\n${z.prettifyError(parsed.error)}`);
  return parsed.data.cases;
}

function toValue(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new CommandError(`${path} is no YAML: ${error instanceof Error ? error.message : error}`);
  }
}

/** What one is asked in a case, as AuthZEN has it. */
export function toRequest(given: DecisionCase): EvaluationRequest {
  const { type, id } = given.subject;
  const subject = { type, id, ...(given.properties === undefined ? {} : { properties: given.properties }) };
  const request = parseEvaluationRequest({ subject, ...given.ask });
  if (!request.ok) throw new CommandError(`case "${given.name}": ${request.failure.detail}`);
  return request.value;
}

/** The whole way of a question, at a fixed time: a case means the same on every day. */
export function decideCase(engine: PolicyEngine, given: DecisionCase): Promise<Decision> {
  const clock: Clock = { now: () => new Date(1_800_000_000_000) };
  const facts = { find: async () => toFacts(given) };
  return evaluateAccess(
    { facts, engine, clock },
    { organizationId: given.organization.id, request: toRequest(given) },
  );
}

/** What a case states is handed to the policy as it stands: it is the policy that is tried, not the facts. */
function toFacts({ organization, subject, bindings, registered }: DecisionCase): SubjectFacts {
  const { type: _type, id: _id, ...state } = subject;
  const everywhere = { type: 'organization', id: organization.id };
  const facts: unknown = {
    organization,
    subject: state,
    bindings: bindings.map(({ scope = everywhere, ...binding }) => ({
      ...binding,
      // Of a team whose tree a case says nothing of, none is below it.
      scope: scope.type === 'team' ? { descendants: [], ...scope } : scope,
    })),
    ...(registered === undefined ? {} : { resource: registered }),
  };
  return facts as SubjectFacts;
}
