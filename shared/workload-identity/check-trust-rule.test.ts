import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type JsonWebKeySet, jsonWebKeySetSchema } from '../remote-jwks/index.ts';
import { checkTrustRule } from './check-trust-rule.ts';
import { hasRequiredClaim, type RequiredClaim, requiredClaimSchema } from './required-claim.ts';

const github = 'https://token.actions.githubusercontent.com';
const owner: RequiredClaim = { pointer: '/repository_owner_id', value: '65' };

function check(rule: {
  issuer: string;
  subjectPattern?: string;
  requiredClaims?: RequiredClaim[];
  jwks?: JsonWebKeySet;
}) {
  const { jwks, ...rest } = rule;
  return checkTrustRule(
    { internalIssuers: new Set(['http://127.0.0.1:1']) },
    { subjectPattern: 'repo:acme/app:*', requiredClaims: [], jwks, ...rest },
  );
}

describe('a shared issuer', () => {
  // Threat: whoever has an account there can make a token that verifies.
  test.each([
    ['nobody', []],
    ['a name', [{ pointer: '/repository_owner', value: 'acme' }]],
    ['a repository, which can be given away', [{ pointer: '/repository_id', value: '1' }]],
    ['a nested claim of the same name', [{ pointer: '/x/repository_owner_id', value: '65' }]],
  ])('is refused when the rule pins %s, with what would do', async (_what, requiredClaims) => {
    expect(await check({ issuer: github, requiredClaims })).toEqual({
      ok: false,
      failure: {
        code: 'trust_rule.owner_not_pinned',
        issuerName: 'GitHub Actions',
        claims: ['/repository_owner_id', '/enterprise_id'],
      },
    });
  });

  test.each([
    [github, [owner]],
    [`${github}/some-enterprise`, [owner]],
    ['https://gitlab.com', [{ pointer: '/namespace_id', value: '72' }]],
    ['https://oidc.circleci.com/org/12345678-1234-1234-1234-123456789012', []],
    ['https://login.microsoftonline.com/12345678-1234-1234-1234-123456789012/v2.0', []],
    ['https://issuer.example', []],
    ['http://127.0.0.1:1', []],
  ])('%s is taken once its owner is pinned', async (issuer, requiredClaims) => {
    expect(await check({ issuer, requiredClaims })).toBeUndefined();
  });

  test.each([
    'https://gitlab.com',
    'https://accounts.google.com',
    'https://oidc.circleci.com',
    'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc',
    'https://login.microsoftonline.com/common/v2.0',
    'https://sts.windows.net/common',
    'https://app.terraform.io',
    'https://agent.buildkite.com',
    'https://oidc.vercel.com/acme',
    'https://oidc.fly.io/acme',
    'https://appleid.apple.com',
    'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
    'https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/',
    'https://api.pulumi.com/oidc',
    'https://api.pulumi.com/oidc/v2',
    'https://oidc.codefresh.io',
    'https://salsa.debian.org',
    'https://issuer.enforce.dev',
    'https://cognito-identity.amazonaws.com',
  ])('%s is one', async (issuer) => {
    expect(await check({ issuer })).toMatchObject({ failure: { code: 'trust_rule.owner_not_pinned' } });
  });

  test.each([
    ['https://accounts.google.com', '112233445566', '1122*'],
    // Threat: everybody's personal Microsoft account, under an issuer that looks like one company's.
    [
      'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
      'AAAAAAAAAAAAAAAAAAAAAMyEdQ',
      'AAA*',
    ],
    [
      'https://api.pulumi.com/oidc',
      'pulumi:deploy:org:acme:project:site:stack:prod:operation:update:scope:write',
      'pulumi:deploy:org:acme:project:*',
    ],
  ])('%s is pinned by an exact subject', async (issuer, exact, wide) => {
    expect(await check({ issuer, subjectPattern: exact })).toBeUndefined();
    expect(await check({ issuer, subjectPattern: wide })).toMatchObject({ ok: false });
  });

  test('Codefresh is pinned by the id of its account', async () => {
    const requiredClaims = [{ pointer: '/account_id', value: '628a80b693a15c0f9c13ab75' }];
    expect(await check({ issuer: 'https://oidc.codefresh.io', requiredClaims })).toBeUndefined();
  });
});

test.each([
  ['no issuer', { issuer: 'acme' }, 'trust_rule.issuer_malformed'],
  ['an issuer without TLS', { issuer: 'http://issuer.example' }, 'trust_rule.issuer_malformed'],
  ['only wildcards', { issuer: 'https://i.example', subjectPattern: '*' }, 'trust_rule.subject_too_wide'],
  // Threat: one cluster or one GitHub Enterprise Server for all teams of a company, which all would match.
  [
    'every namespace',
    { issuer: 'https://cluster.example', subjectPattern: 'system:serviceaccount:*:*' },
    'trust_rule.subject_too_wide',
  ],
  [
    'every repository',
    { issuer: 'https://ghes.example/_services/token', subjectPattern: 'repo:*:*' },
    'trust_rule.subject_too_wide',
  ],
])('a rule with %s is refused', async (_what, rule, code) => {
  expect(await check(rule)).toEqual({ ok: false, failure: { code } });
});

// Its workload would be told to try again, for ever.
test.each(['https://cluster.example:6443', 'https://93.184.216.34', 'https://[2606:4700::1]/oidc'])(
  'an issuer at %s must bring its keys, since nothing is fetched from there',
  async (issuer) => {
    const failure = { code: 'trust_rule.issuer_unreachable' };
    expect(await check({ issuer })).toEqual({ ok: false, failure });
    const { publicKey } = generateKeyPairSync('ed25519');
    const jwks = jsonWebKeySetSchema.parse({ keys: [publicKey.export({ format: 'jwk' })] });
    expect(await check({ issuer, jwks })).toBeUndefined();
  },
);

describe('the keys of a rule', () => {
  const checkKey = (key: object) =>
    check({ issuer: 'https://cluster.example', jwks: jsonWebKeySetSchema.parse({ keys: [key] }) });
  const rsa = (modulusLength: number) =>
    generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });
  const ec = (namedCurve: string) =>
    generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' });

  test.each<[string, () => object]>([
    ['RSA of 2048 bits', () => rsa(2_048)],
    ['RSA for PS256', () => ({ ...rsa(2_048), alg: 'PS256' })],
    ['P-256', () => ec('P-256')],
    ['P-384', () => ec('P-384')],
    ['Ed25519', () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })],
  ])('may be %s', async (_what, key) => expect(await checkKey(key())).toBeUndefined());

  // Each would be refused at every exchange, whatever it signed.
  test.each<[string, () => object]>([
    ['RSA of 1024 bits', () => rsa(1_024)],
    ['of an algorithm that is not taken', () => ({ ...rsa(2_048), alg: 'RS512' })],
    ['P-521', () => ec('P-521')],
    ['for key agreement', () => generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })],
    ['off their curve', () => ({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' })],
  ])('may not be %s', async (_what, key) =>
    expect(await checkKey(key())).toEqual({ ok: false, failure: { code: 'trust_rule.keys_malformed' } }),
  );
});

describe('a required claim', () => {
  const claims = {
    repository_id: '7',
    'kubernetes.io': { serviceaccount: { uid: 'u-1' } },
    'oidc.circleci.com/org-id': 'o-1',
    'a~b': true,
    list: ['x'],
    count: 1,
  };
  test.each<[string, RequiredClaim['value']]>([
    ['/repository_id', '7'],
    ['/kubernetes.io/serviceaccount/uid', 'u-1'],
    ['/oidc.circleci.com~1org-id', 'o-1'],
    ['/a~0b', true],
    ['/count', 1],
  ])('%s is found', (pointer, value) => {
    expect(requiredClaimSchema.safeParse({ pointer, value }).success).toBe(true);
    expect(hasRequiredClaim(claims, { pointer, value })).toBe(true);
  });

  test.each<[string, RequiredClaim['value']]>([
    ['/repository_id', 7],
    ['/repository_id', '70'],
    ['/missing', 'x'],
    ['/list/0', 'x'],
    ['/repository_id/length', 1],
    ['/constructor/name', 'Object'],
    ['/__proto__/x', 'x'],
  ])('%s is not %j', (pointer, value) => {
    expect(hasRequiredClaim(claims, { pointer, value })).toBe(false);
  });

  test.each(['', '/', 'repository_id', '//x', '/a~2', '/a\n'])('is not addressed by %j', (pointer) => {
    expect(requiredClaimSchema.safeParse({ pointer, value: 'x' }).success).toBe(false);
  });
});
