import type { IncomingMessage } from 'node:http';
import { createTransientSet, fail, ok, type Result } from '../kernel/index.ts';

export type BodyFailure = {
  readonly code: 'request.body_too_large' | 'request.body_timeout' | 'request.malformed';
  readonly detail: string;
};

export type BodyOutcome = Result<Buffer, BodyFailure>;

export type BodyReader = {
  /**
   * Reads the whole body before any other code sees the request: the framework's own parsers accept 1 GB. A declared
   * length over the cap is refused without reading; an undeclared one as soon as the cap is passed. Calls `done` once,
   * and not by a promise: on the decision path every turn of the queue counts.
   */
  read(req: IncomingMessage, done: (outcome: BodyOutcome) => void): void;
};

type Pending = { readonly sinceSweep: number; expire(): void };

const sweepsPerTimeout = 8;
const nothing = Buffer.alloc(0);

/** One timer sweeps all bodies that are still to come; one a request would cost more than reading it. */
export function createBodyReader(limits: { bytesMax: number; timeoutMs: number }): BodyReader {
  const { bytesMax, timeoutMs } = limits;
  // In the order in which they began.
  const pending = createTransientSet<Pending>();
  let sweeps = 0;
  let isSweeping = false;
  const sweepLater = () => {
    if (isSweeping || pending.size === 0) return;
    isSweeping = true;
    setTimeout(sweep, timeoutMs / sweepsPerTimeout).unref();
  };
  function sweep(): void {
    sweeps++;
    isSweeping = false;
    for (const body of pending) {
      // The sweep it began before may have come at once: the timeout has surely passed after one more.
      if (sweeps - body.sinceSweep <= sweepsPerTimeout) break;
      body.expire();
    }
    sweepLater();
  }
  return {
    read: (req, done) => {
      if (Number(req.headers['content-length'] ?? 0) > bytesMax) return done(tooLarge(bytesMax));
      const waiting = { sinceSweep: sweeps, expire: () => finish(late(timeoutMs)) };
      const finish = (outcome: BodyOutcome) => {
        if (pending.delete(waiting)) done(outcome);
      };
      pending.add(waiting);
      sweepLater();
      collect(req, bytesMax, finish);
    },
  };
}

function collect(req: IncomingMessage, bytesMax: number, finish: (outcome: BodyOutcome) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  const endEarly = () => finish(fail({ code: 'request.malformed', detail: 'The body ended early' }));
  req.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > bytesMax) finish(tooLarge(bytesMax));
    else chunks.push(chunk);
  });
  req.on('end', () => finish(ok(chunks.length === 1 ? (chunks[0] ?? nothing) : Buffer.concat(chunks))));
  req.on('error', endEarly);
  req.on('close', endEarly);
}

function tooLarge(bytesMax: number): Result<never, BodyFailure> {
  return fail({ code: 'request.body_too_large', detail: `The body may hold at most ${bytesMax} bytes` });
}

function late(timeoutMs: number): Result<never, BodyFailure> {
  return fail({ code: 'request.body_timeout', detail: `The body did not arrive within ${timeoutMs} ms` });
}
