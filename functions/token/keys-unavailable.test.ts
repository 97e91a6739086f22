import { expect, test } from 'vitest';
import { isKeysUnavailable, toTrailReason } from './keys-unavailable.ts';

test.each([
  ['keys_unavailable:other_issuer', 'keys_unavailable:other_issuer'],
  ['keys_unavailable:url_refused', 'keys_unavailable:url_refused'],
  ['keys_unavailable:unresolved', 'keys_unavailable:no_public_address'],
  ['keys_unavailable:address_refused', 'keys_unavailable:no_public_address'],
])('%s stands in the trail as %s', (reason, written) => {
  expect(toTrailReason(reason)).toBe(written);
  expect(isKeysUnavailable(reason)).toBe(true);
});

test.each(['unknown_key', 'keys_malformed', undefined])('%s is a refusal', (reason) => {
  expect(isKeysUnavailable(reason)).toBe(false);
  if (reason !== undefined) expect(toTrailReason(reason)).toBe(reason);
});
