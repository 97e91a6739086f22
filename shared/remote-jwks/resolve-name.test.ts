import { createSocket, type Socket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { createPublicResolver, limitResolving } from './resolve-name.ts';

const open: Socket[] = [];
afterEach(async () => {
  for (const socket of open.splice(0)) await new Promise<void>((closed) => socket.close(() => closed()));
});

/** A nameserver on this machine: what it answers to each question, undefined for silence. */
async function serveNames(answer: (question: Buffer) => Buffer | undefined): Promise<string> {
  const socket = createSocket('udp4');
  open.push(socket);
  socket.on('message', (question, { port, address }) => {
    const bytes = answer(question);
    if (bytes !== undefined) socket.send(bytes, port, address);
  });
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  return `127.0.0.1:${socket.address().port}`;
}

const headerBytes = 12;

/** RFC 1035 section 4.1: the question again, and one A record if that is asked for; else no record. */
function toAnswer(question: Buffer, address: readonly number[]): Buffer {
  const nameEnd = question.indexOf(0, headerBytes);
  const end = nameEnd + 5;
  const isA = question.readUInt16BE(nameEnd + 1) === 1;
  const header = Buffer.from(question.subarray(0, headerBytes));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(isA ? 1 : 0, 6);
  header.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, headerBytes, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address]);
  return Buffer.concat([header, question.subarray(headerBytes, end), ...(isA ? [record] : [])]);
}

const endless = new AbortController().signal;

describe('a name that a tenant chose', () => {
  test('has the addresses that its server says', async () => {
    const server = await serveNames((question) => toAnswer(question, [93, 184, 216, 34]));
    // The packet is sent once: this process may well be away for longer than the product waits.
    const resolve = createPublicResolver({ servers: [server], tryTimeoutMs: 25_000 });
    expect(await resolve('issuer.test', endless)).toEqual([{ address: '93.184.216.34', family: 4 }]);
  });

  // Threat: a server that drops every question keeps what was abandoned waiting.
  test('is let go of at once when nobody waits for it any more', async () => {
    const asked = Promise.withResolvers<void>();
    const server = await serveNames(() => void asked.resolve());
    const waiting = new AbortController();
    // Longer than the test may take: only letting go ends it.
    const resolve = createPublicResolver({ servers: [server], tryTimeoutMs: 600_000 });
    const resolved = resolve('issuer.test', waiting.signal);
    await asked.promise;
    waiting.abort();
    expect(await resolved).toEqual([]);
  });

  test('is not asked for when nobody waits for it', async () => {
    const questions: Buffer[] = [];
    const server = await serveNames((question) => void questions.push(question));
    const resolve = createPublicResolver({ servers: [server] });
    expect(await resolve('issuer.test', AbortSignal.abort())).toEqual([]);
    expect(questions).toEqual([]);
  });
});

test('there is room again once a name has ended, well or badly', async () => {
  const first = Promise.withResolvers<[]>();
  const resolve = limitResolving(() => first.promise, 1);
  const waiting = resolve('one.test', endless);
  expect(await resolve('two.test', endless)).toBe('busy');
  first.reject(new Error('no such name'));
  expect(await waiting).toEqual([]);
  expect(await resolve('three.test', endless)).toEqual([]);
});
