import { isIP } from 'node:net';

/** Whether anything would ever be fetched from there, whoever it is that answers. */
export function isPublicUrl(text: string): boolean {
  return parseRemoteUrl(text, false) !== undefined;
}

/** Undefined when nothing is ever fetched from there. */
export function parseRemoteUrl(text: string, isInternal: boolean): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '') return undefined;
  if (isInternal) return /^https?:$/.test(url.protocol) ? url : undefined;
  // An address in place of a name is never a public issuer, and the WHATWG parser has made one of 0x7f.1 by now.
  const isName = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0;
  return url.protocol === 'https:' && url.port === '' && isName ? url : undefined;
}
