import { join } from 'node:path';
import { findOpa } from '../../../policies/build.ts';
import { freePort, type Peer, spawnPinned, untilAnswers } from './peer.ts';

const policies = join(import.meta.dirname, '../../../policies');

/** The very same Rego and data, with the facts in the request. */
export const opa: Peer = {
  name: 'OPA',
  timesMin: 2,
  start: async ({ input }) => {
    const binary = await findOpa();
    if (binary === undefined) return undefined;
    const port = await freePort();
    const options = ['--addr', `127.0.0.1:${port}`, '--log-level', 'error', '--disable-telemetry'];
    const args = ['run', '--server', ...options, '--ignore', '*_test.rego', 'uos', 'lib', 'data'];
    const server = spawnPinned(binary, args, policies);
    const base = `http://127.0.0.1:${port}`;
    await untilAnswers(`${base}/health`);
    return {
      target: {
        base,
        path: '/v1/data/uos/authz/decision',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input }),
        isRight: (answer) => answer.includes('"decision":true'),
      },
      pid: server.pid,
      stop: server.stop,
    };
  },
};
