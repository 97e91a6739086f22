import { describe, expect, test } from 'vitest';
import { parseTransitUrl } from './transit-url.ts';

describe('the address of a transit engine', () => {
  test('names the server, the mount, the key and the file of the token', () => {
    expect(parseTransitUrl('https://bao.test:8200/team/transit/uos?token-file=/run/token')).toEqual({
      server: { address: 'https://bao.test:8200' },
      key: { mount: 'team/transit', name: 'uos' },
      tokenFile: '/run/token',
    });
  });

  test('may name a role, for the identity of the pod, and a namespace', () => {
    const text = 'http://127.0.0.1:8200/transit/uos?token-file=/t&role=admin&auth=k8s/east&namespace=a/b';
    expect(parseTransitUrl(text)).toMatchObject({
      server: { namespace: 'a/b' },
      kubernetes: { role: 'admin', mount: 'k8s/east' },
    });
  });

  test.each([
    ['http://bao.test/transit/uos?token-file=/t', 'https:'],
    ['https://user:pw@bao.test/transit/uos?token-file=/t', 'no user'],
    ['https://bao.test/uos?token-file=/t', '/<mount>/<key>'],
    ['https://bao.test/transit/u%2Fos?token-file=/t', '/<mount>/<key>'],
    ['https://bao.test/transit/uos/?token-file=/t', '/<mount>/<key>'],
    ['https://bao.test/transit/uos', 'token-file'],
    ['https://bao.test/transit/uos?token-file=t', 'token-file'],
    ['https://bao.test/transit/uos?token-file=/t&token=s.secret', 'known parameters'],
    ['https://bao.test/transit/uos?token-file=/t&namespace=../x', 'namespace'],
  ])('is refused: %s', (text, wanted) => expect(() => parseTransitUrl(text)).toThrow(wanted));
});
