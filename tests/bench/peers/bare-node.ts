import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type Peer, spawnPinned } from './peer.ts';

const bundle = join(import.meta.dirname, '../../../policies/bundle');

/** What the platform itself can do: node:http and opa-wasm, no caller, no record, the facts in a variable. */
export const bareNode: Peer = {
  name: 'bare node:http + opa-wasm',
  timesMin: 0.5,
  start: async ({ input, request, directory }) => {
    const port = await freePort();
    const facts = join(directory, 'facts.json');
    await writeFile(facts, JSON.stringify(input));
    const script = join(import.meta.dirname, 'bare-node-server.ts');
    const server = spawnPinned(process.execPath, [script, String(port), bundle, facts], process.cwd());
    const base = `http://127.0.0.1:${port}`;
    const deadline = AbortSignal.timeout(10_000);
    while (
      !(await fetch(base).then(
        () => true,
        () => false,
      ))
    )
      deadline.throwIfAborted();
    return {
      target: {
        base,
        path: '/',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
        isRight: (answer) => answer === '{"decision":true}',
      },
      pid: server.pid,
      stop: server.stop,
    };
  },
};
