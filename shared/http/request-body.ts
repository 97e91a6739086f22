import type { IncomingMessage } from 'node:http';
import { fail, ok, type Result } from '../kernel/index.ts';

export type BodyFailure = {
  readonly code: 'request.body_too_large' | 'request.body_timeout' | 'request.malformed';
  readonly detail: string;
};

/**
 * Reads the whole body before any other code sees the request: the framework's own parsers accept 1 GB.
 * A declared length over the cap is refused without reading; an undeclared one as soon as the cap is passed.
 */
export async function readBody(
  req: IncomingMessage,
  limits: { bytesMax: number; timeoutMs: number },
): Promise<Result<Buffer, BodyFailure>> {
  const declared = Number(req.headers['content-length'] ?? 0);
  if (declared > limits.bytesMax) return tooLarge(limits.bytesMax);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (result: Result<Buffer, BodyFailure>) => {
      clearTimeout(timer);
      req.removeAllListeners('data');
      resolve(result);
    };
    const timer = setTimeout(() => {
      finish(
        fail({
          code: 'request.body_timeout',
          detail: `The body did not arrive within ${limits.timeoutMs} ms`,
        }),
      );
    }, limits.timeoutMs);
    req.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limits.bytesMax) finish(tooLarge(limits.bytesMax));
      else chunks.push(chunk);
    });
    req.on('end', () =>
      finish(ok(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks))),
    );
    req.on('error', () => finish(fail({ code: 'request.malformed', detail: 'The body ended early' })));
    req.on('close', () => finish(fail({ code: 'request.malformed', detail: 'The body ended early' })));
  });
}

function tooLarge(bytesMax: number): Result<never, BodyFailure> {
  return fail({ code: 'request.body_too_large', detail: `The body may hold at most ${bytesMax} bytes` });
}
