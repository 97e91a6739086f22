import { fail, ok, type Result } from '../kernel/index.ts';
import type { PepFailure } from './outcome.ts';
import type { PepOptions } from './pep.ts';

/** Surrounding white space is what a file ends with; any other that is not visible ASCII cannot be a credential. */
export async function readCredential(source: PepOptions['credential']): Promise<Result<string, PepFailure>> {
  try {
    const text = (typeof source === 'string' ? source : await source()).trim();
    return /^[\x21-\x7e]+$/.test(text) ? ok(text) : fail({ code: 'credential.unavailable' });
  } catch (cause) {
    return fail<PepFailure>({ code: 'credential.unavailable', cause });
  }
}
