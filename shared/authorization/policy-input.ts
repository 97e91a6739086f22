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
  readonly resource: { readonly type: string; readonly id: string; readonly properties: ResourceProperties };
  readonly context: DecisionContext;
};

export type Attributes = Readonly<Record<string, unknown>>;

/** AuthZEN subject. Ours are of type `user` and `service_account`; any other is an unknown subject. */
export type SubjectReference = { readonly type: string; readonly id: string };

export type OrganizationFacts = { readonly id: string; readonly status: 'active' | 'suspended' };

export type SubjectState = {
  readonly known: boolean;
  readonly status: 'active' | 'disabled';
  /** Teams the subject belongs to, each with all teams above it. */
  readonly teams: readonly string[];
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
};

export type DecisionContext = Attributes & { readonly authentication?: unknown };

/** How the subject proved itself: the claims of OpenID Connect Core section 2, methods of RFC 8176. */
export type Authentication = {
  readonly amr?: readonly string[];
  readonly acr?: string;
  readonly auth_time?: number;
};
