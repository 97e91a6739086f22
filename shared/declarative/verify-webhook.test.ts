import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePushHint, signWebhook, verifyWebhookSignature } from './verify-webhook.ts';

const body = Buffer.from('Hello, World!');
const refused = { ok: false, failure: { code: 'webhook.signature_invalid' } };

describe('a webhook signature', () => {
  // The example of GitHub's page "Validating webhook deliveries".
  const secret = "It's a Secret to Everybody";
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

  test('is the one GitHub documents', () => {
    expect(signWebhook(secret, body)).toBe(signature);
    expect(verifyWebhookSignature({ body, signature, secrets: [secret] }).ok).toBe(true);
  });

  test('passes under the old and the new secret while one replaces the other', () => {
    for (const secrets of [
      ['new', secret],
      [secret, 'new'],
    ]) {
      expect(verifyWebhookSignature({ body, signature, secrets }).ok).toBe(true);
    }
  });

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['SHA-1', `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`],
    ['another scheme', signature.replace('sha256=', 'sha512=')],
    ['bare hex', signature.slice(7)],
    ['a truncated one', signature.slice(0, -2)],
    ['a longer one', `${signature}00`],
    ['upper case', signature.toUpperCase()],
    ['one changed digit', signature.replace(/7$/, '8')],
    ['two at once', `${signature}, ${signature}`],
  ])('is refused when it is %s', (_what, given) => {
    expect(verifyWebhookSignature({ body, signature: given, secrets: [secret] })).toEqual(refused);
  });

  test('is refused when there is no secret to check with', () => {
    expect(verifyWebhookSignature({ body, signature, secrets: [] })).toEqual(refused);
  });

  test('can never be checked against an empty secret, which everybody knows', () => {
    const empty = signWebhook('', body);
    expect(() => verifyWebhookSignature({ body, signature: empty, secrets: [''] })).toThrow(
      'must not be empty',
    );
  });

  test('fits no other body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (other) => {
        fc.pre(!body.equals(other));
        expect(verifyWebhookSignature({ body: other, signature, secrets: [secret] })).toEqual(refused);
      }),
    );
  });
});

describe('a push payload', () => {
  const push = {
    ref: 'refs/heads/main',
    after: 'a'.repeat(40),
    repository: { full_name: 'acme/people', private: true },
  };
  const read = (payload: unknown) => parsePushHint(Buffer.from(JSON.stringify(payload)));

  test('gives repository, ref and commit, whatever else the forge sends', () => {
    expect(read({ ...push, pusher: { name: 'ada' } })).toEqual({
      ok: true,
      value: { repository: 'acme/people', ref: 'refs/heads/main', after: 'a'.repeat(40) },
    });
  });

  test.each([
    ['ref', { ...push, ref: 'main' }],
    ['ref', { ...push, ref: 'refs/heads/a\nb' }],
    ['after', { ...push, after: 'HEAD' }],
    ['repository.full_name', { ...push, repository: { full_name: 'https://evil.example' } }],
    ['repository', { ref: push.ref, after: push.after }],
    ['body', []],
  ])('without a proper %s is malformed', (field, payload) => {
    const message = `not a push payload, look at: ${field}`;
    expect(read(payload)).toEqual({ ok: false, failure: { code: 'webhook.malformed', message } });
  });

  test('never makes the reader throw, whatever the bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => !parsePushHint(bytes).ok));
  });
});
