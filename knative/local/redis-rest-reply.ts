/** As Upstash writes one reply of Redis. */
export type RestReply = { readonly result: unknown } | { readonly error: string };

/**
 * Bulk strings arrive as bytes. Asked to, they go out as base64 so that any byte survives JSON; status replies such as
 * `OK` are never encoded, which is how the client tells them apart.
 */
export function toRestReply(reply: unknown, isEncoded: boolean): RestReply {
  if (reply instanceof Error) return { error: reply.message };
  return { result: toJson(reply, isEncoded) };
}

function toJson(reply: unknown, isEncoded: boolean): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString(isEncoded ? 'base64' : 'utf8');
  if (Array.isArray(reply)) return reply.map((item) => toJson(item, isEncoded));
  if (reply instanceof Error) return reply.message;
  return reply;
}
