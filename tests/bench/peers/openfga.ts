import { z } from 'zod';
import { goTool } from '../../../knative/local/go-tool.ts';
import { freePort, type Peer, type PeerQuestion, postJson, spawnPinned, untilAnswers } from './peer.ts';

const direct = (type: string, relation?: string) => ({
  type,
  ...(relation === undefined ? {} : { relation }),
});
const related = (...types: object[]) => ({ directly_related_user_types: types });

/** A document's readers are users and teams, a team's members its own users and those of teams below it. */
const model = {
  schema_version: '1.1',
  type_definitions: [
    { type: 'user' },
    {
      type: 'team',
      relations: { member: { this: {} } },
      metadata: { relations: { member: related(direct('user'), direct('team', 'member')) } },
    },
    {
      type: 'document',
      relations: { can_read: { this: {} } },
      metadata: { relations: { can_read: related(direct('user'), direct('team', 'member')) } },
    },
  ],
};

/** In memory, with as many teams bound as the question has bindings: a check of two hops. */
export const openfga: Peer = {
  name: 'OpenFGA',
  timesMin: 3,
  start: async (question) => {
    const binary = await goTool({
      name: 'openfga',
      version: '1.22.1',
      module: 'github.com/openfga/openfga/cmd/openfga',
    });
    if (binary === undefined) return undefined;
    const [http, grpc] = [await freePort(), await freePort()];
    const server = spawnPinned(binary, [
      'run',
      `--http-addr=127.0.0.1:${http}`,
      `--grpc-addr=127.0.0.1:${grpc}`,
      '--playground-enabled=false',
      '--metrics-enabled=false',
      '--log-level=none',
    ]);
    const base = `http://127.0.0.1:${http}`;
    await untilAnswers(`${base}/healthz`);
    const { path, body } = await setUp(base, question);
    const headers = { 'content-type': 'application/json' };
    const isRight = (answer: string) => answer.includes('"allowed":true');
    return { target: { base, path, headers, body, isRight }, pid: server.pid, stop: server.stop };
  },
};

async function setUp(base: string, { input }: PeerQuestion): Promise<{ path: string; body: string }> {
  const store = z.object({ id: z.string() }).parse(await postJson(`${base}/stores`, { name: 'bench' }));
  const path = `/stores/${store.id}`;
  const written = await postJson(`${base}${path}/authorization-models`, model);
  const { authorization_model_id } = z.object({ authorization_model_id: z.string() }).parse(written);
  const document = `document:${input.resource.id}`;
  const user = `user:${input.subject.id}`;
  const teams = input.bindings.map((_, n) => `team:${n}`);
  const tuple_keys = [
    ...teams.map((team) => ({ user: `${team}#member`, relation: 'can_read', object: document })),
    { user, relation: 'member', object: teams.at(-1) },
  ];
  await postJson(`${base}${path}/write`, { writes: { tuple_keys }, authorization_model_id });
  const tuple_key = { user, relation: 'can_read', object: document };
  return { path: `${path}/check`, body: JSON.stringify({ tuple_key, authorization_model_id }) };
}
