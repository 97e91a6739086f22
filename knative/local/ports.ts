import { createServer } from 'node:net';
import { findFreePort } from './free-port.ts';

const firstPort = 7400;

/** The same ports at every start while they are free, so that a URL someone noted keeps working; else free ones. */
export async function choosePorts(services: readonly string[]): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  for (const [place, service] of [...services].sort().entries()) {
    const wanted = firstPort + place;
    ports.set(service, (await isFree(wanted)) ? wanted : await findFreePort());
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
