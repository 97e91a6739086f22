import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goProgram } from '../../../knative/local/go-tool.ts';
import { freePort, type Peer, spawnPinned, untilAnswers } from './peer.ts';

/** Policies on disk; the roles of the bindings come with the principal, as Cerbos has it. */
export const cerbos: Peer = {
  name: 'Cerbos',
  timesMin: 4,
  start: async ({ input, directory }) => {
    const binary = await goProgram({
      name: 'cerbos',
      directory: join(import.meta.dirname, 'cerbos'),
      package: 'github.com/cerbos/cerbos/cmd/cerbos',
    });
    if (binary === undefined) return undefined;
    const [http, grpc] = [await freePort(), await freePort()];
    const roles = input.bindings.map((_, n) => `role_${n}`);
    const home = join(directory, 'cerbos');
    await mkdir(join(home, 'policies'), { recursive: true });
    await writeFile(join(home, 'policies/document.yaml'), toPolicy(roles));
    await writeFile(join(home, 'cerbos.yaml'), toConfig(home, http, grpc));
    const server = spawnPinned(binary, ['server', `--config=${join(home, 'cerbos.yaml')}`], home);
    const base = `http://127.0.0.1:${http}`;
    await untilAnswers(`${base}/_cerbos/health`);
    const resource = { kind: 'document', id: input.resource.id, attr: input.resource.properties };
    const body = {
      principal: { id: input.subject.id, roles },
      resources: [{ resource, actions: [input.action.name] }],
    };
    return {
      target: {
        base,
        path: '/api/check/resources',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        isRight: (answer) => answer.includes('EFFECT_ALLOW'),
      },
      pid: server.pid,
      stop: server.stop,
    };
  },
};

function toConfig(home: string, http: number, grpc: number): string {
  return `server: { httpListenAddr: "127.0.0.1:${http}", grpcListenAddr: "127.0.0.1:${grpc}" }
telemetry: { disabled: true }
storage: { driver: disk, disk: { directory: "${home}/policies", watchForChanges: false } }
`;
}

/** As many rules as bindings; the last role is the one that grants. */
function toPolicy(roles: readonly string[]): string {
  const rules = roles.map((role, n) => {
    const actions = n === roles.length - 1 ? '["read", "list"]' : '["write"]';
    return `    - { actions: ${actions}, effect: EFFECT_ALLOW, roles: ["${role}"] }`;
  });
  return `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules:
${rules.join('\n')}
`;
}
