import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

type Answer = { status: number; body?: unknown; headers?: Record<string, string> };
type TransitKey = { readonly versions: Buffer[]; minDecryptionVersion: number };

export type TransitStub = {
  readonly address: string;
  /** Every request that arrived: method and path. */
  readonly requests: readonly string[];
  readonly tokens: Set<string>;
  /** What `POST /v1/auth/kubernetes/login` accepts, and for how long its tokens live. */
  readonly login: { role: string; jwt: string; leaseSeconds: number };
  namespace: string | undefined;
  isSealed: boolean;
  /** Answers given before anything is looked at, first to last; `silent` never answers. */
  readonly faults: (Answer | 'silent')[];
  rotate(key: string): void;
  forbidVersionsBelow(key: string, version: number): void;
  stop(): Promise<void>;
};

const base64 = z.base64();
// Members that the engine ignores are refused here: what we send must mean something.
const encryptBody = z.strictObject({ plaintext: base64, associated_data: base64.optional() });
const decryptBody = z.strictObject({ ciphertext: z.string().min(1), associated_data: base64.optional() });
const loginBody = z.strictObject({ role: z.string(), jwt: z.string() });
const refused = (status: number, ...errors: string[]): Answer => ({ status, body: { errors } });

/**
 * The transit engine's HTTP API as OpenBao's builtin/logical/transit answers it: paths, status codes, the texts of
 * its errors, `vault:v<n>:` ciphertexts, versions and associated data. Stricter in what it takes.
 */
export async function startTransitStub(mount: string, keyNames: readonly string[]): Promise<TransitStub> {
  const keys = new Map<string, TransitKey>(
    keyNames.map((name) => [name, { versions: [randomBytes(32)], minDecryptionVersion: 1 }]),
  );
  const requests: string[] = [];
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const keyOf = (name: string) => {
    const key = keys.get(name);
    if (key === undefined) throw new Error(`the stub has no key ${name}`);
    return key;
  };
  const stub: TransitStub = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    tokens: new Set(['a-token']),
    login: { role: 'uos', jwt: 'a.service.account', leaseSeconds: 3600 },
    namespace: undefined,
    isSealed: false,
    faults: [],
    rotate: (name) => void keyOf(name).versions.push(randomBytes(32)),
    forbidVersionsBelow: (name, version) => {
      keyOf(name).minDecryptionVersion = version;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(`${request.method} ${request.url}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fault = stub.faults.shift();
    if (fault === 'silent') return;
    const answer = fault ?? answerTo(request, Buffer.concat(chunks).toString());
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body ?? {}));
  }

  function answerTo(request: IncomingMessage, text: string): Answer {
    if (stub.isSealed) return refused(503, 'Vault is sealed');
    if (request.method !== 'POST') return refused(405, 'unsupported operation');
    if (request.headers['x-vault-namespace'] !== stub.namespace) return refused(404, 'no handler for route');
    const body: unknown = JSON.parse(text);
    if (request.url === '/v1/auth/kubernetes/login') return logIn(body);
    const token = request.headers['x-vault-token'];
    if (typeof token !== 'string' || !stub.tokens.has(token)) return refused(403, 'permission denied');
    const [, verb, name = ''] =
      new RegExp(`^/v1/${mount}/(encrypt|decrypt)/([^/]+)$`).exec(request.url ?? '') ?? [];
    if (verb === undefined) return refused(404, 'no handler for route');
    const key = keys.get(name);
    if (key === undefined) return refused(400, 'encryption key not found');
    return verb === 'encrypt' ? encrypt(key, encryptBody.parse(body)) : decrypt(key, decryptBody.parse(body));
  }

  function logIn(body: unknown): Answer {
    const { role, jwt } = loginBody.parse(body);
    if (role !== stub.login.role) return refused(400, `invalid role name "${role}"`);
    if (jwt !== stub.login.jwt) return refused(403, 'permission denied');
    const client_token = `s.${randomBytes(12).toString('hex')}`;
    stub.tokens.add(client_token);
    const auth = {
      client_token,
      policies: ['default'],
      lease_duration: stub.login.leaseSeconds,
      renewable: true,
    };
    return { status: 200, body: { auth } };
  }

  return stub;
}

function encrypt(key: TransitKey, body: z.infer<typeof encryptBody>): Answer {
  const version = key.versions.length;
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key.versions.at(-1) ?? '', nonce);
  cipher.setAAD(Buffer.from(body.associated_data ?? '', 'base64'));
  const sealed = [nonce, cipher.update(body.plaintext, 'base64'), cipher.final(), cipher.getAuthTag()];
  const ciphertext = `vault:v${version}:${Buffer.concat(sealed).toString('base64')}`;
  return { status: 200, body: { data: { ciphertext, key_version: version } } };
}

function decrypt(key: TransitKey, body: z.infer<typeof decryptBody>): Answer {
  const [, version = '', sealed = ''] = /^vault:v(\d+):(.*)$/.exec(body.ciphertext) ?? [];
  if (version === '') return refused(400, 'invalid ciphertext: no prefix');
  const secret = key.versions[Number(version) - 1];
  if (secret === undefined) return refused(400, 'invalid ciphertext: version is too new');
  if (Number(version) < key.minDecryptionVersion)
    return refused(400, 'ciphertext or signature version is disallowed by policy (too old)');
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.length < 28) return refused(400, 'invalid ciphertext length');
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(body.associated_data ?? '', 'base64'));
  decipher.setAuthTag(bytes.subarray(-16));
  try {
    const plaintext = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    return { status: 200, body: { data: { plaintext: plaintext.toString('base64') } } };
  } catch {
    return refused(400, 'cipher: message authentication failed');
  }
}
