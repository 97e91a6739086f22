import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gitEnvironment } from './git-workspace.ts';

/** True when this machine's Git brings the smart HTTP back end. */
export async function hasGitHttpBackend(): Promise<boolean> {
  const probe = spawn('git', ['http-backend'], { env: gitEnvironment, stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    // Without a request it answers with a CGI status line; without the back end there is no answer at all.
    probe.stdout.once('data', () => resolve(true));
    probe.once('close', () => resolve(false));
  });
}

export type GitServer = { readonly url: string; close(): Promise<void> };

/**
 * The repositories in `directory` over smart HTTP on 127.0.0.1, by Git's own `http-backend` (CGI, RFC 3875). With
 * `authorization` every request must carry exactly that Authorization header.
 */
export async function startGitServer(options: {
  directory: string;
  port?: number;
  authorization?: string;
}): Promise<GitServer> {
  const running = new Set<ChildProcess>();
  const server = createServer((request, response) => {
    if (options.authorization !== undefined && request.headers.authorization !== options.authorization) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end();
      return;
    }
    serveByCgi(options.directory, request, response, running);
  });
  await listen(server, options.port ?? 0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const child of running) child.kill('SIGKILL');
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

function serveByCgi(
  directory: string,
  request: IncomingMessage,
  response: ServerResponse,
  running: Set<ChildProcess>,
): void {
  const child = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
    env: toCgiEnvironment(directory, request),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  child.once('error', () => response.headersSent || response.writeHead(500).end());
  // A client that goes away early closes the pipe: nothing to report, the request is over.
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  response.once('close', () => child.kill());
  void relayCgi(child.stdout, response);
}

function toCgiEnvironment(directory: string, request: IncomingMessage): Record<string, string> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const header = (name: string) => String(request.headers[name] ?? '');
  return {
    ...gitEnvironment,
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    GIT_PROJECT_ROOT: directory,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_PROTOCOL: header('git-protocol'),
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: header('content-type'),
    ...(request.headers['content-length'] ? { CONTENT_LENGTH: header('content-length') } : {}),
    ...(request.headers['content-encoding'] ? { HTTP_CONTENT_ENCODING: header('content-encoding') } : {}),
  };
}

/** CGI output: header lines, an empty line, the body. `Status` sets the status, 200 without. */
async function relayCgi(output: AsyncIterable<Buffer>, response: ServerResponse): Promise<void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of output) {
    if (head === undefined) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    writeCgiHead(head.subarray(0, end).toString('latin1'), response);
    response.write(head.subarray(end + 4));
    head = undefined;
  }
  if (head !== undefined && !response.headersSent) response.writeHead(502);
  response.end();
}

function writeCgiHead(head: string, response: ServerResponse): void {
  let status = 200;
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name === 'Status') status = Number.parseInt(value, 10);
    else if (colon > 0) response.setHeader(name, value);
  }
  response.writeHead(status);
}
