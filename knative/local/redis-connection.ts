import { createClient, ErrorReply, MultiErrorReply, RESP_TYPES } from '@redis/client';

/** One connection that many requests share. A reply may be an error of Redis; what it throws is a broken connection. */
export type RedisConnection = {
  send(command: readonly string[]): Promise<unknown>;
  /** All or nothing; an error in place of the list when Redis threw the transaction away. */
  transact(commands: readonly (readonly string[])[]): Promise<readonly unknown[] | Error>;
  close(): void;
};

/** Commands that change the connection or wait on it would be felt by every other request. */
const refused = new Set(
  'AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE QUIT RESET SELECT SHUTDOWN SSUBSCRIBE SUBSCRIBE SYNC UNWATCH WAIT WATCH'.split(
    ' ',
  ),
);

export async function connectRedis(server: {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}): Promise<RedisConnection> {
  const { host, port, password } = server;
  const client = createClient({
    RESP: 2,
    password,
    socket: { host, port, reconnectStrategy: (retries) => Math.min(20 * 2 ** retries, 200) },
    // What cannot be sent now fails now: the caller has a deadline.
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
  });
  // Without a listener an interrupted connection would end the process; each request hears of it by itself.
  client.on('error', () => undefined);
  await client.connect();
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const refusalOf = ([name = '']: readonly string[]) =>
    refused.has(name.toUpperCase()) ? new ErrorReply(`ERR ${name} is not available over REST`) : undefined;
  return {
    send: async (command) => refusalOf(command) ?? replyOf(bytes.sendCommand([...command])),
    transact: async (commands) => {
      const refusal = commands.map(refusalOf).find((found) => found !== undefined);
      if (refusal !== undefined) return refusal;
      const multi = bytes.multi();
      for (const command of commands) multi.addCommand([...command]);
      return multi.exec().catch((error: unknown) => {
        if (error instanceof MultiErrorReply) return error.replies;
        if (error instanceof ErrorReply) return error;
        throw error;
      });
    },
    close: () => client.destroy(),
  };
}

async function replyOf(sent: Promise<unknown>): Promise<unknown> {
  return sent.catch((error: unknown) => {
    if (error instanceof ErrorReply) return error;
    throw error;
  });
}
