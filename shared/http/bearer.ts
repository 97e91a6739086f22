/**
 * The credential of one `Authorization: Bearer <b64token>` header, RFC 6750 section 2.1. Undefined when the header
 * is absent; `malformed` for anything else, such as a second credential after a comma. The scheme's case does not
 * matter (RFC 9110 section 11.1).
 */
export function bearerOf(header: string | undefined): string | 'malformed' | undefined {
  if (header === undefined) return undefined;
  return /^bearer ([A-Za-z0-9\-._~+/]{1,8192}=*)$/i.exec(header)?.[1] ?? 'malformed';
}
