import { createHash } from 'node:crypto';
import { fail, ok, type Random } from '../kernel/index.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import { openBox, sealBox } from './sealed-box.ts';
import { readSecretFile } from './secret-file.ts';

const keyBytes = 32;
const keysMax = 16;

/**
 * The wrapping keys are the lines of a secret file, each base64 of 32 random bytes; see `readSecretFile` for who may
 * read it. The first line wraps; the others unwrap what they once wrapped. To rotate: put a new line on top, start
 * again, let `key-rotation` wrap the data keys anew, and only then take the old line out.
 */
export async function openFileKeyWrapper(deps: { random: Random }, path: string): Promise<KeyWrapper> {
  const keys = parseKeys(path, await readSecretFile(path));
  const [current = keys[0]] = keys;
  const wrappingKeyId = `file:${createHash('sha256').update(current).digest('hex').slice(0, 16)}`;
  return {
    currentKeyId: async () => wrappingKeyId,
    wrap: async (plaintext, context) => ({
      bytes: sealBox({ key: current, keyVersion: 1, context, plaintext, random: deps.random }),
      wrappingKeyId,
    }),
    unwrap: async (wrapped, context) => {
      for (const key of keys) {
        const opened = openBox({ key, context, box: wrapped });
        if (opened.ok) return ok(opened.value);
      }
      return fail({ code: 'wrapped_key.unreadable', reason: `no key of "${path}" made it in this context` });
    },
  };
}

function parseKeys(path: string, text: string): [Buffer, ...Buffer[]] {
  const [first, ...others] = text.split(/\s*\n\s*/).map((line) => parseKey(path, line));
  if (first === undefined || others.length >= keysMax)
    throw new Error(`Key file "${path}" must hold 1 to ${keysMax} keys, a line each`);
  return [first, ...others];
}

/** Node's own decoder skips what is not base64, so a damaged line would become another key. */
function parseKey(path: string, line: string): Buffer {
  const key = Buffer.from(line, 'base64');
  if (key.length !== keyBytes)
    throw new Error(
      `Key file "${path}" holds ${key.length} bytes in a line; ${keyBytes} in base64 are expected`,
    );
  if (key.toString('base64').replace(/=+$/, '') !== line.replace(/=+$/, ''))
    throw new Error(`Key file "${path}" has a line that is not base64`);
  return key;
}
