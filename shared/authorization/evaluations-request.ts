import { z } from 'zod';
import { fail, ok, type Result } from '../kernel/index.ts';
import {
  type EvaluationRequest,
  type EvaluationRequestFailure,
  isRecord,
  parseEvaluationRequest,
} from './authzen.ts';

/** AuthZEN 1.0 section 7.1.2.1. */
export const evaluationsSemantics = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;
export type EvaluationsSemantic = (typeof evaluationsSemantics)[number];

const evaluationsMax = 100;
/** Of one item with what it inherits, as of a single question: a hundred may share one large default. */
const itemCharactersMax = 65_536;

export type EvaluationsItem = {
  /** A failure is of this item alone: the others are answered. */
  readonly request: Result<EvaluationRequest, EvaluationRequestFailure>;
  /** As it stood in the request. */
  readonly source: unknown;
};

export type EvaluationsRequest = {
  readonly semantic: EvaluationsSemantic;
  readonly items: readonly EvaluationsItem[];
};

const entitySchema = z.custom<Readonly<Record<string, unknown>>>(isRecord, 'must be an object').nullish();
const batchSchema = z.object(
  {
    subject: entitySchema,
    action: entitySchema,
    resource: entitySchema,
    context: entitySchema,
    evaluations: z
      .array(z.unknown(), 'must be an array')
      .max(evaluationsMax, `must hold at most ${evaluationsMax} items`)
      .nullish(),
    options: z
      .object(
        {
          evaluations_semantic: z
            .enum(evaluationsSemantics, `must be one of ${evaluationsSemantics.join(', ')}`)
            .nullish(),
        },
        'must be an object',
      )
      .nullish(),
  },
  'must be an object',
);

type Defaults = Pick<z.output<typeof batchSchema>, 'subject' | 'action' | 'resource' | 'context'>;

/**
 * Access Evaluations request, AuthZEN 1.0 section 7.1. Undefined when there is no item: then it is a single
 * evaluation (section 7.1), to be read as one. Faults of an item are its own (section 7.2.1); others are of the whole.
 */
export function parseEvaluationsRequest(
  body: unknown,
): Result<EvaluationsRequest | undefined, EvaluationRequestFailure> {
  const parsed = batchSchema.safeParse(body);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'the request'} ${message}`,
    );
    return fail({ code: 'request.malformed', detail: faults.join('; ') });
  }
  const { evaluations, options, ...defaults } = parsed.data;
  if (evaluations === undefined || evaluations === null || evaluations.length === 0) return ok(undefined);
  const sizes = entityNames.map((name) => sizeOf(defaults[name]));
  const items = evaluations.map((source) => ({ request: parseItem(source, defaults, sizes), source }));
  return ok({ semantic: options?.evaluations_semantic ?? 'execute_all', items });
}

const entityNames = ['subject', 'action', 'resource', 'context'] as const;

function sizeOf(entity: unknown): number {
  return entity === undefined || entity === null ? 0 : JSON.stringify(entity).length;
}

function parseItem(
  source: unknown,
  defaults: Defaults,
  defaultSizes: readonly number[],
): EvaluationsItem['request'] {
  if (!isRecord(source)) return parseEvaluationRequest(source);
  const sizes = entityNames.map((name, place) => sizeOf(source[name]) || (defaultSizes[place] ?? 0));
  if (sizes.reduce((sum, size) => sum + size, 0) > itemCharactersMax) {
    const detail = `the item, with what it inherits, takes more than ${itemCharactersMax} characters`;
    return fail({ code: 'request.malformed', detail });
  }
  return parseEvaluationRequest({
    subject: withDefault(source['subject'], defaults.subject, ['type', 'id']),
    action: withDefault(source['action'], defaults.action, ['name']),
    resource: withDefault(source['resource'], defaults.resource, ['type', 'id']),
    context: withDefault(source['context'], defaults.context, []),
  });
}

/**
 * An item's own entity replaces the default one whole, so that properties of one resource are never taken for those
 * of another; only a required member it lacks falls back (certification scenario, section c-3-2-7).
 */
function withDefault(own: unknown, fallback: unknown, required: readonly string[]): unknown {
  if (own === undefined || own === null) return fallback;
  if (!isRecord(own) || !isRecord(fallback)) return own;
  const lacking = required.filter((name) => own[name] === undefined || own[name] === null);
  return { ...own, ...Object.fromEntries(lacking.map((name) => [name, fallback[name]])) };
}
