import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type HttpSink = {
  readonly url: string;
  readonly requests: readonly { readonly path: string; readonly body: Buffer }[];
  close(): Promise<void>;
};

/**
 * Takes every request and answers the same status. With `saysBack` the answer repeats the request's headers, as the
 * error pages of some proxies do: what a careless client then writes to its log.
 */
export async function startHttpSink(options: { status: number; saysBack?: boolean }): Promise<HttpSink> {
  const requests: { path: string; body: Buffer }[] = [];
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    requests.push({ path: req.url ?? '', body: Buffer.concat(chunks) });
    const headers = JSON.stringify(req.rawHeaders);
    const body = options.saysBack ? { error: headers, errors: [headers], message: headers } : {};
    res.writeHead(options.status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
