import { createHmac } from 'node:crypto';

/** What a question carries beside its names. */
export type RequestAttributes = {
  readonly subject?: Readonly<Record<string, unknown>> | undefined;
  readonly action?: Readonly<Record<string, unknown>> | undefined;
  readonly resource?: Readonly<Record<string, unknown>> | undefined;
  readonly context?: Readonly<Record<string, unknown>> | undefined;
};

/**
 * One field that an organization does not want kept. `path`: `subject`, `action` or `resource` (their properties) or
 * `context`, then names joined by dots, `*` for any one name or place in a list: `subject.email`, `context.network.*`.
 * `hash` keeps a keyed hash, by which equal values of one organization can be told; `remove` keeps nothing.
 */
export type AttributeMask = { readonly path: string; readonly mode: 'hash' | 'remove' };

export const maskPathPattern = /^(?:subject|action|resource|context)(?:\.(?:\*|[A-Za-z0-9_-]{1,64})){1,8}$/;
export const masksMax = 50;

export type MaskedAttributes = {
  readonly kept: Readonly<Record<string, unknown>>;
  /** Paths of what was masked, at most 50 of them. */
  readonly masked: readonly string[];
};

export type AttributeMasker = (attributes: RequestAttributes) => MaskedAttributes;

/** For when an organization's masks are not known: nothing is kept. */
export const removeAllAttributes: AttributeMasker = (attributes) => ({
  kept: {},
  masked: Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [name])),
});

const depthMax = 16;
const maskedNamesMax = 50;

/** Never kept, whatever an organization configured: their names say that they open something. */
const secretNames = new Set(
  'accesstoken apikey assertion authorization bearer clientsecret cookie credential credentials idtoken otp passphrase passwd password pin privatekey refreshtoken secret secretkey sessiontoken setcookie token'.split(
    ' ',
  ),
);

type Rule = { readonly mode?: AttributeMask['mode']; readonly below: ReadonlyMap<string, Rule> };
type MutableRule = { mode?: AttributeMask['mode']; below: Map<string, MutableRule> };

/** Compiled once an organization. `key` is the organization's own, so that hashes tell nothing across tenants. */
export function createAttributeMasker(masks: readonly AttributeMask[], key: Uint8Array): AttributeMasker {
  const root = compile(masks);
  return (attributes) => {
    const masked: string[] = [];
    const hash = (value: unknown) =>
      `hmac-sha256:${createHmac('sha256', key)
        .update(JSON.stringify(value) ?? '')
        .digest('hex')
        .slice(0, 32)}`;
    const note = (path: string) => {
      if (masked.length < maskedNamesMax) masked.push(path);
    };
    const walk = (value: unknown, rules: readonly Rule[], path: string, depth: number): unknown => {
      const mode = modeOf(rules);
      if (mode !== undefined || depth > depthMax) {
        note(path);
        return mode === 'hash' ? hash(value) : undefined;
      }
      if (Array.isArray(value))
        return value.map((item, at) => walk(item, below(rules, `${at}`), `${path}.${at}`, depth + 1) ?? null);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([name, member]) => {
          const at = path === '' ? name : `${path}.${name}`;
          if (depth > 0 && isSecretName(name)) {
            note(at);
            return [name, undefined];
          }
          return [name, walk(member, below(rules, name), at, depth + 1)];
        }),
      );
    };
    return { kept: walk(attributes, [root], '', 0) as Readonly<Record<string, unknown>>, masked };
  };
}

function compile(masks: readonly AttributeMask[]): Rule {
  const root: MutableRule = { below: new Map() };
  for (const { path, mode } of masks) {
    let at = root;
    for (const name of path.split('.')) {
      const next = at.below.get(name) ?? { below: new Map() };
      at.below.set(name, next);
      at = next;
    }
    // Of two masks of one field the stricter holds.
    at.mode = at.mode === 'remove' ? 'remove' : mode;
  }
  return root;
}

function modeOf(rules: readonly Rule[]): AttributeMask['mode'] | undefined {
  if (rules.length === 0) return undefined;
  if (rules.some(({ mode }) => mode === 'remove')) return 'remove';
  return rules.find(({ mode }) => mode !== undefined)?.mode;
}

const noRules: readonly Rule[] = [];

function below(rules: readonly Rule[], name: string): readonly Rule[] {
  if (rules.length === 0) return noRules;
  return rules.flatMap((rule) => [rule.below.get(name) ?? [], rule.below.get('*') ?? []].flat());
}

function isSecretName(name: string): boolean {
  return secretNames.has(name.toLowerCase().replaceAll(/[-_]/g, ''));
}
