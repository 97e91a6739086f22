import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  bindingConditionsSchema,
  createMemorySubjectFacts,
  createPolicyEngine,
  type Decision,
  evaluateAccess,
  type PolicyEngine,
  parseEvaluationRequest,
  readPolicyBundle,
  type SubjectFacts,
} from '../../shared/authorization/index.ts';

const clock = { now: () => new Date(1_800_000_000_000) };
const tenant = 'org_01h455vb4pex5vsknk084sn02q';

const scopeSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('organization'), id: z.string() }),
  z.strictObject({ type: z.literal('team'), id: z.string(), descendants: z.array(z.string()).default([]) }),
  z.strictObject({ type: z.literal('resource'), id: z.string() }),
]);

const bindingSchema = z.strictObject({
  id: z.string(),
  role: z.string(),
  permissions: z.array(z.string()).default([]),
  effect: z.enum(['allow', 'deny']).default('allow'),
  /** The whole organization when left out. */
  scope: scopeSchema.optional(),
  expires_at: z.int().exactOptional(),
  conditions: bindingConditionsSchema.exactOptional(),
});

const registrationSchema = z.strictObject({
  team: z.string().exactOptional(),
  owner: z.string().exactOptional(),
  attributes: z.record(z.string(), z.unknown()).default({}),
});

/** One file of tests/decisions: decisions as data. What a case leaves out is an active user of an active tenant. */
const caseFileSchema = z.strictObject({
  about: z.string(),
  cases: z.array(
    z.strictObject({
      name: z.string(),
      organization: z
        .strictObject({
          id: z.string().default(tenant),
          status: z.enum(['active', 'suspended']).default('active'),
        })
        .prefault({}),
      subject: z
        .strictObject({
          type: z.string().default('user'),
          id: z.string().default('usr_alice'),
          known: z.boolean().default(true),
          status: z.enum(['active', 'disabled']).default('active'),
          teams: z.array(z.string()).default([]),
          groups: z.array(z.string()).exactOptional(),
          scopes: z.array(z.string()).exactOptional(),
          acts_as: z.strictObject({ type: z.string(), id: z.string() }).exactOptional(),
          expires_at: z.int().exactOptional(),
        })
        .prefault({}),
      bindings: z.array(bindingSchema).default([]),
      /** What is registered of the resource asked about. */
      registered: registrationSchema.optional(),
      /** Attributes of the subject in the request. */
      properties: z.record(z.string(), z.unknown()).optional(),
      ask: z.looseObject({ action: z.unknown(), resource: z.unknown() }),
      expect: z.strictObject({
        decision: z.boolean(),
        code: z.string(),
        rule: z.string(),
        binding: z.string().optional(),
        obligations: z.array(z.string()).optional(),
      }),
    }),
  ),
});

export type DecisionCase = z.output<typeof caseFileSchema>['cases'][number];

export function readCaseFiles(): { about: string; cases: DecisionCase[] }[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => caseFileSchema.parse(parse(readFileSync(join(import.meta.dirname, name), 'utf8'))));
}

/** The engine with the policy bundle kept in the repository. */
export async function openEngine(): Promise<PolicyEngine> {
  const bundle = await readPolicyBundle(join(import.meta.dirname, '../../policies/bundle'));
  if (!bundle.ok) throw new Error(bundle.failure.detail);
  const engine = createPolicyEngine({ clock });
  const activated = await engine.activate(bundle.value);
  if (!activated.ok) throw new Error(activated.failure.detail);
  return engine;
}

/** The whole way of a question: AuthZEN request, facts, compiled policy. */
export async function decide(engine: PolicyEngine, given: DecisionCase): Promise<Decision> {
  const { type, id, ...state } = given.subject;
  const request = parseEvaluationRequest({
    subject: { type, id, properties: given.properties },
    ...given.ask,
  });
  if (!request.ok) throw new Error(request.failure.detail);
  const facts = createMemorySubjectFacts();
  facts.set({ type, id }, toFacts(given, state));
  const organizationId = given.organization.id;
  if (given.registered !== undefined)
    facts.register(organizationId, request.value.resource, given.registered);
  return evaluateAccess({ facts, engine, clock }, { organizationId, request: request.value });
}

function toFacts({ organization, bindings }: DecisionCase, subject: SubjectFacts['subject']): SubjectFacts {
  const everywhere = { type: 'organization', id: organization.id } as const;
  return {
    organization,
    subject,
    bindings: bindings.map(({ scope = everywhere, ...binding }) => ({ ...binding, scope })),
  };
}
