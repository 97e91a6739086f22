import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import type { KeyWrapper } from '../../shared/secret/index.ts';
import { openKeyWrapper } from '../../shared/secret/open-key-wrapper.ts';
import { startTransitStub, type TransitStub } from '../support/transit-stub.ts';

type Backend = {
  readonly name: string;
  open(): Promise<KeyWrapper>;
  /** Makes the next wrapping key, as an operator would. */
  rotate(): Promise<void>;
};

const deps = { clock: systemClock, random: systemRandom };
const newKey = () => Buffer.from(systemRandom.bytes(32)).toString('base64');
let directory: string;
let stub: TransitStub;
const inDirectory = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-wrapper-'));
  stub = await startTransitStub('transit', ['uos']);
  await writeFile(inDirectory('keys'), newKey(), { mode: 0o600 });
  await writeFile(inDirectory('token'), 'a-token\n', { mode: 0o600 });
});
afterAll(async () => {
  await stub.stop();
  await rm(directory, { recursive: true, force: true });
});

const file: Backend = {
  name: 'a key file',
  open: () => openKeyWrapper(deps, { WRAPPING_KEY_FILE: inDirectory('keys') }),
  rotate: async () => {
    const lines = await readFile(inDirectory('keys'), 'utf8');
    await writeFile(inDirectory('keys'), `${newKey()}\n${lines}`);
  },
};
const transitStub: Backend = {
  name: 'a stub of the transit engine',
  open: () =>
    openKeyWrapper(deps, {
      KEY_WRAPPER_URL: `${stub.address}/transit/uos?token-file=${inDirectory('token')}`,
    }),
  rotate: async () => stub.rotate('uos'),
};

/** An OpenBao or Vault of yours: a KEY_WRAPPER_URL whose token may also rotate the key. Not here by itself. */
const realUrl = process.env['UOS_TRANSIT_URL'];
const real = (text: string): Backend => ({
  name: 'a real transit engine',
  open: () => openKeyWrapper(deps, { KEY_WRAPPER_URL: text }),
  rotate: async () => {
    const url = new URL(text);
    const [, mount, key] = /^\/(.+)\/([^/]+)$/.exec(url.pathname) ?? [];
    const token = (await readFile(url.searchParams.get('token-file') ?? '', 'utf8')).trim();
    const rotated = await fetch(`${url.origin}/v1/${mount}/keys/${key}/rotate`, {
      method: 'POST',
      headers: { 'x-vault-token': token },
    });
    expect(rotated.ok).toBe(true);
  },
});

const backends = [file, transitStub, ...(realUrl === undefined ? [] : [real(realUrl)])];

describe.each(backends)('the key wrapper over $name', ({ open, rotate }) => {
  const secret = Buffer.from(systemRandom.bytes(32));
  const readable = async (wrapper: KeyWrapper, bytes: Uint8Array, context: string) => {
    const unwrapped = await wrapper.unwrap(bytes, context);
    return unwrapped.ok ? Buffer.from(unwrapped.value).equals(secret) : unwrapped.failure.code;
  };

  test('unwraps what it wrapped, in another process too', async () => {
    const { bytes } = await (await open()).wrap(secret, 'signing-key:1');
    expect(await readable(await open(), bytes, 'signing-key:1')).toBe(true);
  });

  test('shows nothing of what it wraps, and wraps it differently each time', async () => {
    const wrapper = await open();
    const [one, other] = await Promise.all([wrapper.wrap(secret, 'c'), wrapper.wrap(secret, 'c')]);
    expect(Buffer.compare(one.bytes, other.bytes)).not.toBe(0);
    for (const form of [secret, Buffer.from(secret.toString('base64'))])
      expect(Buffer.from(one.bytes).includes(form)).toBe(false);
  });

  // A database writer who swaps two data keys must not make one serve as the other.
  test('does not unwrap in another context', async () => {
    const wrapper = await open();
    const { bytes } = await wrapper.wrap(secret, 'signing-key:1');
    for (const context of ['signing-key:2', 'signing-key:', ' signing-key:1'])
      expect(await readable(wrapper, bytes, context)).toBe('wrapped_key.unreadable');
  });

  test('does not unwrap what was changed in its last byte, cut off, or never wrapped', async () => {
    const wrapper = await open();
    const { bytes } = await wrapper.wrap(secret, 'c');
    const changed = Buffer.from(bytes);
    const place = changed.length - 8;
    changed[place] = changed[place] === 0x41 ? 0x42 : 0x41;
    for (const broken of [changed, bytes.subarray(0, -4), Buffer.from('vault:v1:AAAA'), Buffer.alloc(0)])
      expect(await readable(wrapper, broken, 'c')).toBe('wrapped_key.unreadable');
  });

  test('after a rotation wraps with the new key, and still unwraps what older ones wrapped', async () => {
    const before = await (await open()).wrap(secret, 'c');
    expect(await (await open()).currentKeyId()).toBe(before.wrappingKeyId);
    await rotate();
    const wrapper = await open();
    const after = await wrapper.wrap(secret, 'c');
    expect(after.wrappingKeyId).not.toBe(before.wrappingKeyId);
    expect(await wrapper.currentKeyId()).toBe(after.wrappingKeyId);
    for (const { bytes } of [before, after]) expect(await readable(wrapper, bytes, 'c')).toBe(true);
  });
});

describe('a deployment that moves from a key file to a transit engine', () => {
  test('unwraps what the file wrapped, and wraps with the engine', async () => {
    const wrapped = await (await file.open()).wrap(Buffer.from('a data key'), 'c');
    const both = await openKeyWrapper(deps, {
      WRAPPING_KEY_FILE: inDirectory('keys'),
      KEY_WRAPPER_URL: `${stub.address}/transit/uos?token-file=${inDirectory('token')}`,
    });
    expect(await both.unwrap(wrapped.bytes, 'c')).toMatchObject({ ok: true });
    const anew = await both.wrap(Buffer.from('a data key'), 'c');
    expect(anew.wrappingKeyId).toMatch(/^transit:transit\/uos:v\d+$/);
    expect(await (await transitStub.open()).unwrap(anew.bytes, 'c')).toMatchObject({ ok: true });
  });

  test('needs one of the two', async () => {
    await expect(openKeyWrapper(deps, {})).rejects.toThrow('WRAPPING_KEY_FILE is not set');
  });
});
