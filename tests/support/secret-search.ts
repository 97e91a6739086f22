/** Finds a secret in bytes, however it was written there. */
export type Secret = { readonly name: string; readonly bytes: Buffer };
export type Finding = { readonly secret: string; readonly encoding: string; readonly place: number };
type Needle = {
  readonly secret: string;
  readonly encoding: string;
  readonly bytes: Buffer;
  readonly lengthMin: number;
};

/** So many characters of a secret, or bytes of one that is no text, are a finding. */
export const fragmentMin = 16;
const windowBytes = 8;
// Every run of sixteen bytes holds a whole window that begins at a multiple of this.
const stride = fragmentMin - windowBytes + 1;

/** What a secret looks like when a program writes it: as it is, in text forms of bytes, and in escapes of text. */
export function encodingsOf(bytes: Buffer): Record<string, Buffer> {
  const hex = bytes.toString('hex');
  const text = bytes.toString('utf8');
  const forms: Record<string, string | Buffer> = {
    plain: bytes,
    hex,
    HEX: hex.toUpperCase(),
    decimals: [...bytes].join(','),
    percent: hex.replace(/../g, '%$&').toUpperCase(),
  };
  for (const shift of [0, 1, 2]) {
    const base64 = base64At(bytes, shift);
    forms[`base64+${shift}`] = base64;
    forms[`base64url+${shift}`] = base64.replaceAll('+', '-').replaceAll('/', '_');
  }
  if (Buffer.from(text).equals(bytes)) {
    forms['url'] = encodeURIComponent(text);
    forms['json'] = JSON.stringify(text).slice(1, -1);
    forms['utf16le'] = Buffer.from(text, 'utf16le');
    forms['utf16be'] = Buffer.from(text, 'utf16le').swap16();
    forms['\\u'] = [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  }
  return Object.fromEntries(Object.entries(forms).map(([name, form]) => [name, Buffer.from(form)]));
}

/** As it stands in the base64 of something longer: three ways, by what stands before it; no digit mixed with others. */
function base64At(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const whole = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(Math.ceil((shift * 8) / 6), whole);
}

/**
 * A search for all of them at once: each run of sixteen characters of each secret, in each encoding. One pass over the
 * bytes; a megabyte takes some twenty milliseconds, however many the secrets are.
 */
export function createSecretSearch(secrets: readonly Secret[]): (haystack: Buffer) => Finding[] {
  const windows = new Map<string, { needle: Needle; offset: number }[]>();
  for (const needle of secrets.flatMap(toNeedles))
    for (let offset = 0; offset + windowBytes <= needle.bytes.length; offset++) {
      const window = needle.bytes.toString('latin1', offset, offset + windowBytes);
      const places = windows.get(window);
      if (places === undefined) windows.set(window, [{ needle, offset }]);
      else places.push({ needle, offset });
    }
  return (haystack) => {
    const found = new Map<string, Finding>();
    for (let place = 0; place + windowBytes <= haystack.length; place += stride)
      for (const { needle, offset } of windows.get(haystack.toString('latin1', place, place + windowBytes)) ??
        []) {
        const { secret, encoding, bytes, lengthMin } = needle;
        if (commonLength(haystack, place, bytes, offset) < lengthMin) continue;
        const key = `${secret} ${encoding}`;
        if (!found.has(key)) found.set(key, { secret, encoding, place });
      }
    return [...found.values()];
  };
}

function toNeedles({ name, bytes }: Secret): Needle[] {
  if (bytes.length < fragmentMin) throw new Error(`${name} is too short to be told from chance`);
  return Object.entries(encodingsOf(bytes)).map(([encoding, encoded]) => ({
    secret: name,
    encoding,
    bytes: encoded,
    lengthMin: Math.max(fragmentMin, Math.floor((encoded.length * fragmentMin) / bytes.length)),
  }));
}

function commonLength(a: Buffer, aAt: number, b: Buffer, bAt: number): number {
  let before = 0;
  while (aAt - before > 0 && bAt - before > 0 && a[aAt - before - 1] === b[bAt - before - 1]) before++;
  let after = 0;
  while (aAt + after < a.length && bAt + after < b.length && a[aAt + after] === b[bAt + after]) after++;
  return before + after;
}
