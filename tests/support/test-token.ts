import { importJWK, type JWTPayload, SignJWT } from 'jose';
import type { DatabasePool } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { invariant, systemClock, systemRandom, toNumericDate } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { type KeyRing, openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { openPrivateJwk, rotateSigningKeys } from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { seedOrganization } from './seed-organization.ts';

export const issuer = 'https://token.example.test';
export const audience = 'https://api.example.test';

const deps = { clock: systemClock, random: systemRandom };

export type TestSigningKey = Awaited<ReturnType<typeof createTestSigningKey>>;

/** The first signing key, active at once, as key-rotation makes it. */
export async function createTestSigningKey(pool: DatabasePool, wrappingKeyFile: string) {
  await seedOrganization(pool, { organizationId: platformOrganizationId, name: 'platform' });
  const wrapper = await openFileKeyWrapper(deps, wrappingKeyFile);
  const ring = await openKeyRing({ ...deps, pool, store: postgresDataKeyStore, wrapper }, 'signing-key');
  return publishTestSigningKey(pool, ring);
}

/** The same where the platform's organization stands already. */
export async function publishTestSigningKey(pool: DatabasePool, ring: KeyRing) {
  const rotated = await rotateSigningKeys({
    ...deps,
    pool,
    ring,
    store: postgresSigningKeyStore,
    events: postgresEventRecorder({ ...deps, source: 'uos/test' }),
    policy: {
      algorithms: ['ES256'],
      intervalSeconds: 86_400,
      publishLeadSeconds: 600,
      tokenTtlSecondsMax: 300,
      jwksMaxAgeSeconds: 300,
    },
  });
  const [published] = rotated.ok ? rotated.value.published : [];
  invariant(published !== undefined, 'no signing key was published');
  const { keyId } = published;
  const opened = await openPrivateJwk({ pool, store: postgresSigningKeyStore, ring }, keyId);
  invariant(opened.ok, 'the signing key does not open');
  return { keyId, jwk: opened.value };
}

export type MintOptions = {
  /** Beyond or instead of what a good token says. */
  claims: JWTPayload;
  header: object;
  keyId: string;
  foreignKey: boolean;
  algorithm: 'ES256' | 'HS256' | 'none';
};

/** A token as the issuer makes it, or one step away from that. */
export async function mintTestToken(
  { jwk, keyId }: TestSigningKey,
  about: { readonly account: string; readonly organizationId: string; readonly apiKeyId: string },
  options: Partial<MintOptions> = {},
): Promise<string> {
  const issuedAt = toNumericDate(systemClock.now());
  const claims = {
    iss: issuer,
    aud: audience,
    sub: about.account,
    client_id: about.account,
    org_id: about.organizationId,
    api_key_id: about.apiKeyId,
    jti: 'token-1',
    iat: issuedAt,
    exp: issuedAt + 300,
    ...options.claims,
  };
  const header = { alg: 'ES256', typ: 'at+jwt', kid: options.keyId ?? keyId, ...options.header };
  if (options.algorithm === 'none') {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ ...header, alg: 'none' })}.${part(claims)}.`;
  }
  if (options.algorithm === 'HS256') {
    const secret = new TextEncoder().encode(JSON.stringify({ ...jwk, d: undefined }));
    return new SignJWT(claims).setProtectedHeader({ ...header, alg: 'HS256' }).sign(secret);
  }
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  const key = options.foreignKey === true ? pair.privateKey : await importJWK({ ...jwk }, 'ES256');
  return new SignJWT(claims).setProtectedHeader(header).sign(key);
}
