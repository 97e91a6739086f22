import { connect, type Socket } from 'node:net';

export type Reply = { readonly status: number; readonly body: string };
export type KeepAliveClient = { send(request: Buffer): Promise<Reply>; close(): void };

type Waiting = {
  readonly request: Buffer;
  readonly since: number;
  resolve(reply: Reply): void;
  reject(error: Error): void;
};

const connectionsMax = 256;
const headEnd = Buffer.from('\r\n\r\n');

/**
 * The little of HTTP/1.1 that a load generator needs: whole requests as bytes, answers with a length, one at a time on
 * each connection. Node's own client takes as much of the machine as the server under test, and its garbage collection
 * stops it for longer than the answers take.
 */
export function createKeepAliveClient(base: string, timeoutMs: number): KeepAliveClient {
  const { hostname, port } = new URL(base);
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  const queue: Waiting[] = [];
  const next = (connection: Connection) => {
    const waiting = queue.shift();
    if (waiting === undefined) idle.push(connection);
    else connection.begin(waiting);
  };
  const timer = setInterval(() => {
    const before = performance.now() - timeoutMs;
    for (const connection of all) connection.endIfSince(before);
  }, 1_000);
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        const waiting = { request, since: performance.now(), resolve, reject };
        const free = idle.pop();
        if (free !== undefined) free.begin(waiting);
        else if (all.size >= connectionsMax) queue.push(waiting);
        else {
          const opened = openConnection(connect(Number(port), hostname), {
            onFree: next,
            onEnd: (ended) => {
              all.delete(ended);
              const place = idle.indexOf(ended);
              if (place !== -1) idle.splice(place, 1);
            },
          });
          all.add(opened);
          opened.begin(waiting);
        }
      }),
    close: () => {
      clearInterval(timer);
      for (const connection of all) connection.close();
    },
  };
}

type Connection = {
  begin(waiting: Waiting): void;
  endIfSince(before: number): void;
  close(): void;
};

function openConnection(
  socket: Socket,
  on: { onFree(connection: Connection): void; onEnd(connection: Connection): void },
): Connection {
  let current: Waiting | undefined;
  let received: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  const end = (error: Error) => {
    on.onEnd(connection);
    socket.destroy();
    current?.reject(error);
    current = undefined;
  };
  socket.on('error', end);
  socket.on('close', () => end(new Error('The connection was closed')));
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const reply = readReply(received);
    if (reply === undefined) return;
    received = Buffer.alloc(0);
    const answered = current;
    current = undefined;
    on.onFree(connection);
    answered?.resolve(reply);
  });
  const connection: Connection = {
    begin: (waiting) => {
      current = waiting;
      socket.write(waiting.request);
    },
    endIfSince: (before) => {
      if (current !== undefined && current.since < before) end(new Error('No answer in time'));
    },
    close: () => socket.destroy(),
  };
  return connection;
}

/** Undefined while there is more to come. */
function readReply(received: Buffer): Reply | undefined {
  const at = received.indexOf(headEnd);
  if (at === -1) return undefined;
  const head = received.toString('latin1', 0, at);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  const start = at + headEnd.length;
  if (received.length < start + length) return undefined;
  return { status: Number(head.slice(9, 12)), body: received.toString('utf8', start, start + length) };
}

export function toRequest(
  base: string,
  call: { path: string; headers: Readonly<Record<string, string>>; body: string },
): Buffer {
  const headers = {
    ...call.headers,
    host: new URL(base).host,
    'content-length': Buffer.byteLength(call.body),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`POST ${call.path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${call.body}`);
}
