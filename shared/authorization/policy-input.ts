import type { BindingCondition } from './binding-condition.ts';

/** The input of `uos/authz/decision`: one question and every fact needed. Same shape as policies/schemas/input.json. */
export type PolicyInput = {
  /** Seconds since the epoch, rounded down. */
  readonly now: number;
  readonly organization: OrganizationFacts;
  readonly subject: SubjectReference &
    SubjectState & {
      /** As the asking party sent them; unverified. */
      readonly properties?: Attributes;
    };
  readonly bindings: readonly BindingFact[];
  readonly action: { readonly name: string; readonly properties?: Attributes };
  readonly resource: ResourceReference & {
    /** True when `properties` are those of the registration, over whatever the request says. */
    readonly registered?: true;
    readonly properties: ResourceProperties;
  };
  readonly context: DecisionContext;
};

export type Attributes = Readonly<Record<string, unknown>>;

/** AuthZEN subject. Ours are of type `user`, `service_account`, `group` and `api_key`; any other is an unknown subject. */
export type SubjectReference = { readonly type: string; readonly id: string };

export type ResourceReference = { readonly type: string; readonly id: string };

export type OrganizationFacts = { readonly id: string; readonly status: 'active' | 'suspended' };

export type SubjectState = {
  readonly known: boolean;
  readonly status: 'active' | 'disabled';
  /** Teams the subject belongs to, each with all teams above it. */
  readonly teams: readonly string[];
  /** Groups it is a member of; absent when there is none, as in what was recorded before there were groups. */
  readonly groups?: readonly string[];
  /** Of an API key: the service account or user whose rights it has. */
  readonly acts_as?: SubjectReference;
  /** Of an API key, or of whoever asks about itself: what the credential was issued for. Absent means not narrowed. */
  readonly scopes?: readonly string[];
  /** Of a service account, and of an API key whichever ends first: seconds since the epoch; absent means never. */
  readonly expires_at?: number;
};

export type BindingFact = {
  readonly id: string;
  /** Name of a built-in role (`builtInRoles`) or of a custom one. */
  readonly role: string;
  /** Of a custom role, `<resource type>:<action>` with `*` for either; ignored for a built-in role. */
  readonly permissions: readonly string[];
  readonly effect: 'allow' | 'deny';
  readonly scope: BindingScope;
  /** Seconds since the epoch; absent means never. The binding has ended in that very second. */
  readonly expires_at?: number;
  /** Demands that must all hold for the binding to count; absent when there is none. */
  readonly conditions?: readonly BindingCondition[];
};

export type BindingScope =
  | { readonly type: 'organization'; readonly id: string }
  /** `descendants`: every team below it, at any depth. */
  | { readonly type: 'team'; readonly id: string; readonly descendants: readonly string[] }
  /** `id` is `<resource type>:<resource id>`. */
  | { readonly type: 'resource'; readonly id: string };

export type ResourceProperties = Attributes & {
  /** Owner of the resource, when it is not the asking organization. */
  readonly organization?: unknown;
  /** Team the resource belongs to. */
  readonly team?: unknown;
  /** Id of the user or service account it belongs to. */
  readonly owner?: unknown;
};

export type DecisionContext = Attributes & {
  readonly authentication?: unknown;
  /** `ip`: address of the subject, as the trusted caller states it. */
  readonly network?: unknown;
};

/** How the subject proved itself: the claims of OpenID Connect Core section 2, methods of RFC 8176. */
export type Authentication = {
  readonly amr?: readonly string[];
  readonly acr?: string;
  readonly auth_time?: number;
};
