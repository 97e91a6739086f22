import type { TransitKey, TransitServer } from './transit-request.ts';
import type { KubernetesLogin } from './transit-token.ts';

export type TransitSettings = {
  readonly server: TransitServer;
  readonly key: TransitKey;
  readonly tokenFile: string;
  readonly kubernetes?: Omit<KubernetesLogin, 'tokenFile'>;
};

const segment = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?$/;
const parameters = new Set(['token-file', 'role', 'auth', 'namespace']);
const thisMachine = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * `https://<host>[:<port>]/<mount>/<key>?token-file=<path>` with a token of that file, or with `&role=<role>` too: the
 * file holds the pod's service-account token, which is exchanged at the Kubernetes auth method (`auth=<mount>`,
 * `kubernetes` unless given). `namespace=<path>` where there are namespaces. http: for this machine alone. Throws and
 * says what is wrong; the URL holds no secret.
 */
export function parseTransitUrl(text: string): TransitSettings {
  const url = new URL(text);
  const given = (name: string) => url.searchParams.get(name) ?? undefined;
  const path = url.pathname.split('/').slice(1);
  const name = path.at(-1) ?? '';
  const tokenFile = given('token-file');
  const role = given('role');
  const auth = given('auth') ?? 'kubernetes';
  const namespace = given('namespace');
  demand(url.protocol === 'https:' || (url.protocol === 'http:' && thisMachine.has(url.hostname)), 'https:');
  demand(url.username === '' && url.password === '' && url.hash === '', 'no user and no fragment');
  demand(path.length >= 2 && path.every((part) => segment.test(part)), 'a path of /<mount>/<key>');
  demand(
    [...url.searchParams.keys()].every((key) => parameters.has(key)),
    'known parameters only',
  );
  demand(segments(auth) && (namespace === undefined || segments(namespace)), 'a plain auth and namespace');
  if (tokenFile === undefined || !tokenFile.startsWith('/')) throw wrong('token-file=<absolute path>');
  const server = { address: url.origin, ...(namespace === undefined ? {} : { namespace }) };
  return {
    server,
    key: { mount: path.slice(0, -1).join('/'), name },
    tokenFile,
    ...(role === undefined ? {} : { kubernetes: { role, mount: auth } }),
  };
}

function segments(text: string): boolean {
  return text.split('/').every((part) => segment.test(part));
}

function demand(holds: boolean, wanted: string): void {
  if (!holds) throw wrong(wanted);
}

function wrong(wanted: string): Error {
  return new Error(`KEY_WRAPPER_URL needs ${wanted}`);
}
