import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type PublishedBundleFiles, packPolicyBundle } from '../../shared/policy-bundle/index.ts';

export type BundleServer = {
  readonly url: string;
  /** What is served from now on; undefined is 404. */
  publish(files: PublishedBundleFiles | undefined): Promise<void>;
  close(): Promise<void>;
};

/** A web server with one bundle, and an entity tag that changes with it. */
export async function startBundleServer(): Promise<BundleServer> {
  let archive: Buffer | undefined;
  let published = 0;
  const server = createServer((req, res) => {
    const etag = `"${published}"`;
    if (archive === undefined) res.writeHead(404).end();
    else if (req.headers['if-none-match'] === etag) res.writeHead(304).end();
    else res.writeHead(200, { etag, 'content-type': 'application/gzip' }).end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/policy.tar.gz`,
    publish: async (files) => {
      archive = files === undefined ? undefined : await packPolicyBundle(files);
      published++;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
