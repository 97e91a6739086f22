import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connectRedis, type RedisConnection } from './redis-connection.ts';
import { type RestReply, toRestReply } from './redis-rest-reply.ts';

export type RedisBridgeOptions = {
  readonly redis: { readonly host: string; readonly port: number; readonly password: string };
  readonly token: string;
  readonly port?: number;
};

export type RedisBridge = { readonly url: string; readonly token: string; close(): Promise<void> };

type Command = readonly string[];
type Answer = { readonly status: number; readonly body: RestReply | readonly RestReply[] };

const bodyBytesMax = 1_048_576;
const commandsMax = 1_000;

/**
 * The part of Upstash's REST protocol that its client speaks, in front of a real Redis: `POST /` with one command,
 * `/pipeline` and `/multi-exec` with several, JSON arrays of strings and numbers. For tests and for running on one
 * machine; a cluster has the service itself, or one of the proxies made for the purpose.
 */
export async function startRedisBridge(options: RedisBridgeOptions): Promise<RedisBridge> {
  const redis = await connectRedis(options.redis);
  const server = createServer((req, res) => {
    void answer(redis, options.token, req).then(
      ({ status, body }) => send(res, status, body),
      (error: unknown) => send(res, 500, { error: messageOf(error) }),
    );
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    token: options.token,
    close: async () => {
      server.close();
      server.closeAllConnections();
      redis.close();
    },
  };
}

async function answer(redis: RedisConnection, token: string, req: IncomingMessage): Promise<Answer> {
  if (!isAuthorized(req, token)) return failed(401, 'WRONGPASS invalid or missing auth token');
  if (req.method !== 'POST') return failed(405, 'ERR only POST is answered');
  const text = await readBody(req);
  if (text === undefined) return failed(413, `ERR max request size exceeded. Limit: ${bodyBytesMax} bytes`);
  const isEncoded = req.headers['upstash-encoding'] === 'base64';
  const body = parseJson(text);
  if (req.url === '/' || req.url === '') return answerCommand(redis, body, isEncoded);
  if (req.url === '/pipeline' || req.url === '/multi-exec') {
    return answerCommands(redis, { body, isEncoded, isTransaction: req.url === '/multi-exec' });
  }
  return failed(404, 'ERR commands in the path are not answered');
}

async function answerCommand(redis: RedisConnection, body: unknown, isEncoded: boolean): Promise<Answer> {
  const command = toCommand(body);
  if (command === undefined) return failed(400, 'ERR failed to parse command');
  const reply = toRestReply(await redis.send(command), isEncoded);
  return { status: 'error' in reply ? 400 : 200, body: reply };
}

async function answerCommands(
  redis: RedisConnection,
  { body, isEncoded, isTransaction }: { body: unknown; isEncoded: boolean; isTransaction: boolean },
): Promise<Answer> {
  const commands = Array.isArray(body) ? body.map(toCommand) : [undefined];
  const isValid = commands.length > 0 && commands.length <= commandsMax;
  if (!isValid || !commands.every((command) => command !== undefined)) {
    return failed(400, 'ERR failed to parse pipeline request');
  }
  const replies = isTransaction
    ? await redis.transact(commands)
    : await Promise.all(commands.map((command) => redis.send(command)));
  // A transaction that Redis threw away has one answer.
  if (replies instanceof Error) return failed(400, replies.message);
  return { status: 200, body: replies.map((reply) => toRestReply(reply, isEncoded)) };
}

function toCommand(value: unknown): Command | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const isWord = (word: unknown) => typeof word === 'string' || typeof word === 'number';
  return value.every(isWord) ? value.map(String) : undefined;
}

function failed(status: number, error: string): Answer {
  return { status, body: { error } };
}

function isAuthorized(req: IncomingMessage, token: string): boolean {
  const given = Buffer.from(req.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(res: ServerResponse, status: number, body: unknown): void {
  if (res.destroyed) return;
  const text = JSON.stringify(body);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  res.end(text);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The bridge has no port');
  return address.port;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
