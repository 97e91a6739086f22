import { createHmac, createSecretKey } from 'node:crypto';
import { recordBounds } from './record-bounds.ts';

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
  /** JSON of what is kept. */
  readonly text: string;
  /** Paths of what was masked, at most 50 of them, each cut where it grows long. */
  readonly masked: readonly string[];
};

export type AttributeMasker = (attributes: RequestAttributes) => MaskedAttributes;

/** For when an organization's masks are not known: nothing is kept. */
export const removeAllAttributes: AttributeMasker = (attributes) => ({
  text: '{}',
  masked: Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [name])),
});

const depthMax = 16;
const maskedNamesMax = 50;

/** Never kept, whatever an organization configured: their names say that they open something. */
export const secretNames: readonly string[] = [
  'accesstoken',
  'apikey',
  'assertion',
  'authorization',
  'bearer',
  'clientsecret',
  'cookie',
  'credential',
  'credentials',
  'idtoken',
  'otp',
  'passphrase',
  'passwd',
  'password',
  'pin',
  'privatekey',
  'refreshtoken',
  'secret',
  'secretkey',
  'sessiontoken',
  'setcookie',
  'token',
];
const isSecret: ReadonlySet<string> = new Set(secretNames);

/** Holds for every text with such a name, and for some without: each name has one of these in it, or is one. */
const maySecretBeIn =
  /k[-_]*e[-_]*y|t[-_]*o[-_]*k|s[-_]*e[-_]*c|a[-_]*u[-_]*t[-_]*h[-_]*o|p[-_]*a[-_]*s[-_]*s|c[-_]*r[-_]*e|c[-_]*o[-_]*o|b[-_]*e[-_]*a|a[-_]*s[-_]*s|o[-_]*t[-_]*p|p[-_]*i[-_]*n/i;

type Rule = { readonly mode?: AttributeMask['mode']; readonly below: ReadonlyMap<string, Rule> };
type MutableRule = { mode?: AttributeMask['mode']; below: Map<string, MutableRule> };

/** Compiled once an organization. `key` is the organization's own, so that hashes tell nothing across tenants. */
export function createAttributeMasker(masks: readonly AttributeMask[], key: Uint8Array): AttributeMasker {
  const root = [compile(masks)];
  const secret = createSecretKey(key);
  const hash = (value: unknown) =>
    `hmac-sha256:${createHmac('sha256', secret)
      .update(JSON.stringify(value) ?? '')
      .digest('hex')
      .slice(0, 32)}`;
  return (attributes) => {
    // Most organizations mask nothing and most questions hold no secret: one look at the text tells.
    const whole = masks.length === 0 ? JSON.stringify(attributes) : undefined;
    if (whole !== undefined && !maySecretBeIn.test(whole)) return { text: whole, masked: [] };
    const masked: string[] = [];
    const replace = (mode: AttributeMask['mode'] | undefined, value: unknown, path: string): unknown => {
      if (masked.length < maskedNamesMax) masked.push(path);
      return mode === 'hash' ? hash(value) : undefined;
    };
    const walk = (value: unknown, rules: readonly Rule[], path: string, depth: number): unknown => {
      const mode = modeOf(rules);
      if (mode !== undefined || depth > depthMax) return replace(mode, value, path);
      if (typeof value !== 'object' || value === null) return value;
      if (Array.isArray(value))
        return value.map(
          (item, at) => walk(item, below(rules, `${at}`), join(path, `${at}`), depth + 1) ?? null,
        );
      return copy(value, rules, path, depth);
    };
    // No prototype: a member called __proto__ is a member like others.
    const copy = (value: object, rules: readonly Rule[], path: string, depth: number) => {
      const kept: Record<string, unknown> = Object.create(null);
      for (const name of Object.keys(value)) {
        const member: unknown = Reflect.get(value, name);
        if (member === undefined) continue;
        const at = join(path, name);
        kept[name] =
          depth > 0 && isSecretName(name)
            ? replace(undefined, member, at)
            : walk(member, below(rules, name), at, depth + 1);
      }
      return kept;
    };
    return { text: JSON.stringify(copy(attributes, root, '', 0)), masked };
  };
}

/** Bounded as it grows: names are the caller's. */
function join(path: string, name: string): string {
  const joined = path === '' ? name : `${path}.${name}`;
  return joined.length > recordBounds.maskedPath
    ? `${joined.slice(0, recordBounds.maskedPath - 1)}…`
    : joined;
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
  const found: Rule[] = [];
  for (const rule of rules) {
    const [named, any] = [rule.below.get(name), rule.below.get('*')];
    if (named !== undefined) found.push(named);
    if (any !== undefined) found.push(any);
  }
  return found;
}

const secretNameLengthMin = 3;
const secretNameLengthMax = 20;

function isSecretName(name: string): boolean {
  if (name.length < secretNameLengthMin || name.length > secretNameLengthMax) return false;
  return isSecret.has(name.replaceAll(/[-_]/g, '').toLowerCase());
}

/** For the many organizations that mask nothing of their own: one for all of them, since it hashes nothing. */
export const maskSecretsOnly: AttributeMasker = createAttributeMasker([], new Uint8Array(1));
