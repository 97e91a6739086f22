import { isUtf8 } from 'node:buffer';
import { type Fail, fail, ok, type Result } from '../../shared/kernel/index.ts';

export type JsonFailure = { readonly code: 'request.malformed'; readonly detail: string };

/** Attributes nested deeper than this are an attack or a mistake; every level costs the policy time. */
export const jsonDepthMax = 32;

/**
 * The JSON of a body by the rules of I-JSON (RFC 7493), which AuthZEN 1.0 asks for: UTF-8, and no member twice, since
 * two parsers may take different ones and a gateway would then have checked another question than we answer. The
 * wrong content type is 400 here, as the specification's other errors.
 */
export function readJson(contentType: string | undefined, body: Buffer): Result<unknown, JsonFailure> {
  if (!isJson(contentType)) return malformed('Content-Type must be application/json');
  if (!isUtf8(body)) return malformed('The body is not UTF-8');
  const text = body.toString('utf8');
  const value = parse(text);
  if (value === undefined) return malformed('The body is not JSON');
  const { depth, members } = measure(text);
  if (depth > jsonDepthMax) return malformed(`The body is nested deeper than ${jsonDepthMax} levels`);
  return members === countMembers(value) ? ok(value) : malformed('The body has a member twice');
}

function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  return /^application\/json\s*(;|$)/i.test(contentType ?? '');
}

/** Undefined is what no JSON text can mean. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/** How deep valid JSON text nests, and how many members it writes: one colon each, outside strings. */
function measure(text: string): { depth: number; members: number } {
  let depth = 0;
  let level = 0;
  let members = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === colon) members++;
    else if (code === openBrace || code === openBracket) depth = Math.max(depth, ++level);
    else if (code === closeBrace || code === closeBracket) level--;
  }
  return { depth, members };
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === backslash) before--;
  return (at - before) % 2 === 1;
}

/** Of a member that is written twice only one is left: then this is fewer than `measure` saw. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countMembers(item), 0);
  let count = 0;
  for (const member of Object.values(value)) count += 1 + countMembers(member);
  return count;
}

function malformed(detail: string): Fail<JsonFailure> {
  return fail({ code: 'request.malformed', detail });
}
