import { z } from 'zod';
import type { Principal } from '../../shared/authentication/index.ts';
import type { Permission } from '../../shared/authorization/index.ts';
import type { Actor } from '../../shared/events/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { ok, type Result } from '../../shared/kernel/index.ts';
import type { Organization } from '../../shared/organization/index.ts';
import type { AdminDeps } from './admin-deps.ts';
import { organizationReferenceField } from './field.schema.ts';
import { parsePart, type RawRequest, readJson, readQuery } from './parse-request.ts';
import { type Target, type TargetReference, toTargetReference } from './target.ts';

/** What an operation answers when it succeeds. `location` names what was created; `file` is sent as it is. */
export type Reply = {
  readonly body?: unknown;
  readonly location?: string;
  readonly file?: { readonly bytes: Uint8Array; readonly contentType: string };
};
export type Outcome = Result<Reply, ProblemFailure>;

type Example = {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
};

/** One row of the route table, which is the OpenAPI document too: they cannot disagree. */
export type Operation = {
  readonly id: string;
  readonly method: 'get' | 'post';
  /** With `{name}` for each parameter. */
  readonly path: string;
  readonly summary: string;
  /** Asked of the policy, in the organization that the path names or else in the platform's own. */
  readonly permission: Permission;
  /** What a caller outside the platform needs for its own organization, where that differs. */
  readonly tenantPermission?: Permission;
  readonly status: 200 | 201 | 202;
  /** Whether it makes something: such a request may carry an Idempotency-Key. */
  readonly creates: boolean;
  /** Whether what it makes or revives opens doors. Threat: a delegated token that makes itself permanent. */
  readonly makesCredential: boolean;
  readonly schemas: { readonly path: z.ZodObject; readonly query: z.ZodObject; readonly body: z.ZodObject };
  readonly response: z.ZodType | 'file';
  readonly example: Example;
  prepare(request: RawRequest): Result<PreparedOperation, ProblemFailure>;
};

/** A request whose every field has been checked. */
export type PreparedOperation = {
  /** Id or name from the path; undefined for what belongs to the platform. */
  readonly organizationReference: string | undefined;
  /** Id of the thing that permission is asked for, when the path names one. */
  readonly resourceId: string | undefined;
  readonly target: TargetReference;
  /** All that must hold before anything is done, asked anew of each retry. May read whatever it needs, wherever. */
  check(deps: AdminDeps, context: OperationContext): Promise<Result<ReadyOperation, ProblemFailure>>;
};

/** Stands on the transaction of `deps.pool` alone: whoever waits in it for another connection may wait for itself. */
export type ReadyOperation = (deps: AdminDeps) => Promise<Outcome>;

export type OperationContext = {
  readonly caller: Principal;
  readonly actor: Actor;
  /** The one the path names; the caller's own where it names none. */
  readonly organization: Organization;
  /** What the path names of accounts and their credentials, as it was when the caller was judged. */
  readonly target: Target;
};

type Parts<Path extends z.ZodRawShape, Query extends z.ZodRawShape, Body extends z.ZodRawShape> = {
  readonly params: z.output<z.ZodObject<Path>>;
  readonly query: z.output<z.ZodObject<Query>>;
  readonly body: z.output<z.ZodObject<Body>>;
};

type Definition<
  Path extends z.ZodRawShape,
  Query extends z.ZodRawShape,
  Body extends z.ZodRawShape,
  Checked,
> = Pick<Operation, 'id' | 'method' | 'path' | 'summary' | 'permission' | 'tenantPermission' | 'response'> & {
  readonly status?: Operation['status'];
  readonly creates?: boolean;
  readonly makesCredential?: boolean;
  readonly params?: Path;
  readonly query?: Query;
  readonly body?: Body;
  /** The parameter that names the resource, for grants on one resource. */
  readonly resource?: keyof Path & string;
  readonly example?: Example;
  /** Where not the path names what all of the request is about, but its query or body. */
  about?(parts: Parts<Path, Query, Body>): TargetReference;
  /** Asks before anything is done; its value is handed to `act`. */
  check?(
    deps: AdminDeps,
    input: OperationContext & Parts<Path, Query, Body>,
  ): Promise<Result<Checked, ProblemFailure>>;
  act(
    deps: AdminDeps,
    input: OperationContext & Parts<Path, Query, Body> & { readonly checked: NoInfer<Checked> },
  ): Promise<Outcome>;
};

const none = {};

/** Defines an operation: its row of the table, the checks of its three parts, and what it does after them. */
export function defineOperation<
  const Path extends z.ZodRawShape = Record<never, never>,
  const Query extends z.ZodRawShape = Record<never, never>,
  const Body extends z.ZodRawShape = Record<never, never>,
  Checked = undefined,
>(definition: Definition<Path, Query, Body, Checked>): Operation {
  const { params, query, body, resource, about, check, act, ...row } = definition;
  const isOfOrganization = definition.path.includes('{org}');
  const organization = z.strictObject(isOfOrganization ? { org: organizationReferenceField } : none);
  const own = z.strictObject((params ?? none) as Path);
  const schemas = {
    path: organization.extend(own.shape).strict(),
    query: z.strictObject((query ?? none) as Query),
    body: z.strictObject((body ?? none) as Body),
  };
  return {
    status: 200,
    creates: false,
    makesCredential: false,
    example: {},
    ...row,
    schemas,
    prepare: (request) => {
      const { org, ...rest } = request.params;
      const reference = parsePart('path', organization, isOfOrganization ? { org } : {});
      if (!reference.ok) return reference;
      const parsedParams = parsePart('path', own, rest);
      if (!parsedParams.ok) return parsedParams;
      const given = readQuery(request.query);
      const parsedQuery = given.ok ? parsePart('query', schemas.query, given.value) : given;
      if (!parsedQuery.ok) return parsedQuery;
      const json = readJson(request);
      const parsedBody = json.ok ? parsePart('body', schemas.body, json.value) : json;
      if (!parsedBody.ok) return parsedBody;
      const input = { params: parsedParams.value, query: parsedQuery.value, body: parsedBody.value };
      return ok({
        organizationReference: org,
        resourceId: resource === undefined ? undefined : rest[resource],
        target: about === undefined ? toTargetReference(rest) : about(input),
        check: async (deps, context) => {
          const asked = { ...context, ...input };
          // Where nothing is asked, `Checked` is undefined.
          const checked = check === undefined ? ok(undefined as Checked) : await check(deps, asked);
          if (!checked.ok) return checked;
          return ok((acting) => act(acting, { ...asked, checked: checked.value }));
        },
      });
    },
  };
}
