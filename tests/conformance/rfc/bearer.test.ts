import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearerOf } from '../../../shared/http/index.ts';
import { type AdminService, startAdminService } from '../../support/admin-service.ts';

const token = 'mF_9.B5f-4.1JqM';

describe('RFC 6750 section 2.1: the Authorization header', () => {
  test('of the example gives its token', () => {
    expect(bearerOf(`Bearer ${token}`)).toBe(token);
  });

  test('without one there is no credential, which is another answer than a bad one', () => {
    expect(bearerOf(undefined)).toBeUndefined();
  });

  test.each([`bearer ${token}`, `BEARER ${token}`])(
    'takes %s: the case of a scheme does not matter',
    (header) => {
      expect(bearerOf(header)).toBe(token);
    },
  );

  test('takes all that the grammar of b64token allows', () => {
    expect(bearerOf('Bearer aZ09-._~+/==')).toBe('aZ09-._~+/==');
  });

  test.each([
    ['an empty header', ''],
    ['the scheme alone', 'Bearer'],
    ['no token', 'Bearer '],
    ['another scheme', 'Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW'],
    ['no scheme', token],
    ['two spaces', `Bearer  ${token}`],
    ['a tab', `Bearer\t${token}`],
    ['two tokens', `Bearer ${token} ${token}`],
    ['two credentials', `Bearer ${token}, Bearer ${token}`],
    ['padding inside', 'Bearer a=b'],
    ['a character outside the grammar', 'Bearer a"b'],
    ['a quoted token', `Bearer "${token}"`],
    ['a line break', `Bearer ${token}\n`],
    ['an auth-param in place of the token', 'Bearer realm="example"'],
    ['more than any token of ours', `Bearer ${'a'.repeat(8_193)}`],
  ])('refuses %s', (_what, header) => {
    expect(bearerOf(header)).toBe('malformed');
  });
});

describe('RFC 6750 sections 2.2 and 2.3: the ways we do not take', () => {
  let admin: AdminService;
  beforeAll(async () => {
    admin = await startAdminService();
  });
  afterAll(() => admin.close());

  // Threat: tokens in addresses end up in logs, in caches and in the Referer of the next page.
  test('a credential in the address is no credential', async () => {
    const path = `/v1/organizations?access_token=${admin.operatorKey}`;
    expect((await admin.request('get', path)).status).toBe(401);
  });

  test('a credential in a form is no credential', async () => {
    const response = await fetch(`${admin.url}/v1/organizations`, {
      method: 'POST',
      body: new URLSearchParams({ access_token: admin.operatorKey }),
    });
    expect(response.status).toBe(401);
  });

  test('section 3: the challenge names the scheme, and no error when nothing was presented', async () => {
    const { status, headers } = await admin.request('get', '/v1/organizations');
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="uos"']);
  });

  test('section 3.1: what was presented and is not good is an invalid_token, with 401', async () => {
    const { status, headers } = await admin.request('get', '/v1/organizations', { key: token });
    expect([status, headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="uos", error="invalid_token"',
    ]);
  });
});
