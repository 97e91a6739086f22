const lengthMax = 255;

/**
 * The identifier of an issuer in the one form it is compared in (OpenID Connect Discovery 1.0 section 3): an https
 * URL without query, fragment or credentials, spelt as the URL standard spells it, so that no two spellings of one
 * issuer pass for two. `internal` are those the operator lists, which may be http.
 */
export function isIssuerUrl(text: string, internal: ReadonlySet<string> = new Set()): boolean {
  if (internal.has(text)) return true;
  if (text.length > lengthMax || !URL.canParse(text)) return false;
  const url = new URL(text);
  const isPlain = url.username === '' && url.password === '' && !/[?#]/.test(text);
  const isCanonical = url.href === text || url.href === `${text}/`;
  return url.protocol === 'https:' && isPlain && isCanonical;
}

export function discoveryUrlOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}
