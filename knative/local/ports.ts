import { createServer } from 'node:net';
import { findFreePort } from './free-port.ts';

const firstPort = 7400;

/**
 * A port for each service. With `keepsPorts` the same ones at every start while they are free, so that a URL someone
 * noted keeps working; else, and when taken, any free one.
 */
export async function choosePorts(
  services: readonly string[],
  keepsPorts: boolean,
): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  const taken = new Set<number>();
  for (const [place, service] of [...services].sort().entries()) {
    const wanted = firstPort + place;
    let port = keepsPorts && (await isFree(wanted)) ? wanted : await findFreePort();
    while (taken.has(port)) port = await findFreePort();
    taken.add(port);
    ports.set(service, port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
