import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { ConsoleLines } from '../../../knative/local/console-lines.ts';
import { type Platform, startPlatform } from '../../../knative/local/platform.ts';
import { type Forge, startForge } from '../../../knative/local/tour/forge.ts';
import { type HttpSink, startHttpSink } from '../../support/http-sink.ts';

/** Bytes, and where they were found. */
export type Piece = { readonly where: string; readonly bytes: Buffer };

export type Call = {
  readonly method?: string;
  readonly authorization?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
  /** The answer is where a secret is shown once, or a person to who may see it: its body is not searched. */
  readonly isShown?: boolean;
};

export type Reply = {
  readonly status: number;
  readonly text: string;
  readonly json: Record<string, unknown>;
};

/** All functions as they ship, at their most talkative, and everything that leaves them. */
export type CanaryScene = {
  readonly directory: string;
  readonly platform: Platform;
  readonly forge: Forge;
  readonly telemetry: HttpSink;
  /** Lines that the functions and the router wrote. */
  readonly lines: string[];
  /** Of the processes while they ran. */
  readonly commandLines: Piece[];
  /** Answers: `where` and what was sent back. */
  readonly answers: Piece[];
  /** Secrets that answers showed, and secrets that requests presented in vain. */
  readonly shown: {
    readonly apiKeys: string[];
    readonly webhookSecrets: string[];
    readonly tokens: string[];
  };
  readonly presented: string[];
  readonly foreignTokens: string[];
  /** Of Redis, transit and the object store, whose servers fail. */
  readonly outside: { readonly redis: string; readonly transit: string; readonly objectStore: string };
  readonly ada: { readonly email: string; readonly displayName: string };
  call(service: string, path: string, call?: Call): Promise<Reply>;
  admin(path: string, call?: Call): Promise<Reply>;
  /** Above row-level security. */
  readonly database: Client;
  onClose(end: () => unknown): void;
  /** Ends the functions, which print and export what they still hold. */
  endFunctions(): Promise<void>;
  close(): Promise<void>;
};

/** A value that nothing else holds. */
export const canary = () => randomBytes(24).toString('hex');

export async function startCanaryScene(): Promise<CanaryScene> {
  const directory = await mkdtemp(join(tmpdir(), 'uos-canary-'));
  const lines: string[] = [];
  const telemetry = await startHttpSink({ status: 200 });
  const platform = await startPlatform({
    stateDirectory: join(directory, 'state'),
    isReal: false,
    keepsPorts: false,
    console: keepLines(lines),
    settings: { 'log-level': 'debug', 'otlp-endpoint': telemetry.url },
  });
  const forge = await startForge(join(directory, 'forge'));
  const database = await connectAbove(platform);
  const ends: (() => unknown)[] = [];
  const answers: Piece[] = [];
  const call = async (service: string, path: string, given: Call = {}) => {
    const where = `${given.method ?? 'GET'} ${service}${path}`;
    const { isShown, ...request } = given;
    const response = await send(platform.urlOf(service) + path, request);
    const text = await response.text();
    const headers = JSON.stringify([...response.headers]);
    answers.push({
      where: `${where} (${response.status})`,
      bytes: Buffer.from(isShown ? headers : headers + text),
    });
    return { status: response.status, text, json: parse(text) };
  };
  return {
    directory,
    platform,
    forge,
    telemetry,
    lines,
    commandLines: [],
    answers,
    shown: { apiKeys: [], webhookSecrets: [], tokens: [] },
    presented: [],
    foreignTokens: [],
    outside: { redis: canary(), transit: canary(), objectStore: canary() },
    ada: { email: `ada.${canary()}@canary.example`, displayName: `Ada ${canary()}` },
    call,
    admin: (path, given = {}) =>
      call('admin', `/v1${path}`, { authorization: `Bearer ${platform.operatorKey}`, ...given }),
    database,
    onClose: (end) => ends.push(end),
    endFunctions: async () => {
      await Promise.all([...platform.services.values()].map((service) => service.stop()));
    },
    close: async () => {
      for (const end of ends) await end();
      await database.end();
      await forge.close();
      await platform.stop();
      await telemetry.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function keepLines(lines: string[]): ConsoleLines {
  return {
    step: (_name, work) => work(),
    line: (text) => lines.push(text),
    log: (service, text) => lines.push(`${service} ${text}`),
  };
}

async function connectAbove(platform: Platform): Promise<Client> {
  const url = new URL(platform.postgres.superuserUrl);
  url.pathname = new URL(platform.postgres.ownerUrl).pathname;
  // Bytes as bytes, and everything else as PostgreSQL writes it.
  const types = { getTypeParser: (oid: number) => (oid === 17 ? toBytes : String) };
  const client = new Client({ connectionString: url.href, types });
  await client.connect();
  return client;
}

function toBytes(text: string): Buffer {
  return Buffer.from(text.slice(2), 'hex');
}

function send(
  url: string,
  { method, authorization, headers, body }: Omit<Call, 'isShown'>,
): Promise<Response> {
  return fetch(url, {
    method: method ?? 'GET',
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
