import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export type MintForeign = {
  /** Over the good ones; undefined takes a claim away. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly kid?: string;
};

/** An OpenID issuer as others run them, on this machine: discovery, keys, tokens. */
export async function startTestIssuer() {
  const privateKeys = new Map<string, CryptoKey>();
  const published: JWK[] = [];
  const asked: string[] = [];
  const answers: { isDown: boolean } = { isDown: false };
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    if (answers.isDown) return void res.writeHead(503).end();
    const isDiscovery = req.url === '/.well-known/openid-configuration';
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(isDiscovery ? { issuer: url, jwks_uri: `${url}/jwks` } : { keys: published }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function addKey(kid: string): Promise<void> {
    const pair = await generateKeyPair('RS256');
    privateKeys.set(kid, pair.privateKey);
    published.push({ ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256', use: 'sig' });
  }
  await addKey('one');
  return {
    url,
    asked,
    answers,
    addKey,
    mint: ({ claims = {}, header = {}, kid = 'one' }: MintForeign, now: Date) => {
      const key = privateKeys.get(kid);
      if (key === undefined) throw new Error(`the issuer has no key "${kid}"`);
      const iat = Math.floor(now.getTime() / 1000);
      return new SignJWT({ iss: url, iat, exp: iat + 300, ...claims })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid, ...header })
        .sign(key);
    },
    close: () =>
      new Promise<void>((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

export type TestIssuer = Awaited<ReturnType<typeof startTestIssuer>>;
