import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOpa } from '../../policies/build.ts';
import { runPolicy } from '../support/policy-command.ts';

/*
 * A world that this service knows nothing of, as somebody else would bring it: policy and data, built, signed and
 * served by the commands of policies/examples/README.md.
 */
const rules = `package uos.authz

default decision := {"decision": false, "code": "not_permitted", "rule": "not_of_this_crew"}

decision := {"decision": true, "code": "permitted", "rule": "captain_moors"} if {
	input.action.name == "moor"
	data.crew[input.subject.id].rank == "captain"
	input.resource.properties.length <= data.berths[input.resource.id].length_max
} else := {"decision": true, "code": "permitted", "rule": "crew_boards"} if {
	input.action.name == "board"
	input.resource.id in data.crew[input.subject.id].ships
}
`;
const crew = {
  ahab: { rank: 'captain', ships: ['pequod'] },
  ishmael: { rank: 'sailor', ships: ['pequod'] },
};

const opa = await findOpa();
const root = join(import.meta.dirname, '..', '..');
let scratch: string;
let program: ChildProcess | undefined;
let said = '';
let authorize = '';
let key = '';
const at = (...names: string[]) => join(scratch, ...names);

async function writeSources(name: string, lengthMax: number): Promise<void> {
  const files = {
    'policy/uos/authz/authz.rego': rules,
    'data/crew/data.json': JSON.stringify(crew),
    'data/berths/data.json': JSON.stringify({ 7: { length_max: lengthMax } }),
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(at(name, path)), { recursive: true });
    await writeFile(at(name, path), text);
  }
}

async function policy(...args: string[]): Promise<void> {
  const { code, complaint } = await runPolicy(...args);
  expect({ code, complaint }).toEqual({ code: 0, complaint: '' });
}

async function publish(name: string, version: number, lengthMax: number): Promise<void> {
  await writeSources(name, lengthMax);
  await policy('build', at(name), '--out', at(`${name}.tar.gz`), '--version', String(version));
  await policy('sign', at(`${name}.tar.gz`), '--key', at('release.key'));
}

/** Resolves when the program greets; what it said is the message of a failure. */
async function start(...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'knative/local/main.ts'), ...args], { cwd: root });
  program = child;
  const greeted = Promise.withResolvers<string>();
  const listen = (chunk: unknown) => {
    said += chunk;
    const url = /decisions +(http:\S+)\/access\/v1.*Ctrl-C stops/s.exec(said)?.[1];
    if (url !== undefined) greeted.resolve(url);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  child.once('exit', (code) => greeted.reject(new Error(`It ended with ${code}:\n${said}`)));
  authorize = await greeted.promise;
}

async function ask(path: string, body?: object): Promise<unknown> {
  const response = await fetch(authorize + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.json();
}

const decisionOn = (id: string, name: string, resource: object) =>
  ask('/access/v1/evaluation', {
    subject: { type: 'sailor', id },
    action: { name },
    resource,
    options: { reasons: true },
  });

const ship = (id: string) => ({ type: 'ship', id });
const berth = (length: number) => ({ type: 'berth', id: '7', properties: { length } });

describe.skipIf(opa === undefined)('npm start with a policy of your own', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'uos-marina-'));
    await policy('keygen', '--out', at('release'));
    await publish('marina', 3, 40);
    await publish('wider', 4, 60);
    const chosen = ['--policy', at('marina.tar.gz'), '--shadow', at('wider.tar.gz')];
    await start('--quiet', '--state', at('state'), ...chosen, '--policy-keys', at('release.pub'));
    key = (await readFile(at('state', 'operator-key'), 'utf8')).trim();
  }, 180_000);

  afterAll(async () => {
    if (program !== undefined && program.exitCode === null) {
      const ended = once(program, 'exit');
      program.kill('SIGTERM');
      await ended;
    }
    await rm(scratch, { recursive: true, force: true });
  });

  test('says in its status that this bundle answers, and who signed it', async () => {
    expect(await ask('/policy/status')).toMatchObject({
      version: 3,
      source: at('marina.tar.gz'),
      signed_by: expect.any(String),
      last_attempt: { outcome: 'active' },
    });
  });

  test.each([
    ['a captain moors what fits', 'ahab', 'moor', berth(30), true, 'captain_moors'],
    ['a captain does not moor what is too long', 'ahab', 'moor', berth(80), false, 'not_of_this_crew'],
    ['a sailor does not moor', 'ishmael', 'moor', berth(30), false, 'not_of_this_crew'],
    ['a sailor boards the own ship', 'ishmael', 'board', ship('pequod'), true, 'crew_boards'],
    ['a sailor boards no other', 'ishmael', 'board', ship('rachel'), false, 'not_of_this_crew'],
    ['a stranger does nothing', 'queequeg', 'board', ship('pequod'), false, 'not_of_this_crew'],
  ])('answers by its rules and its people: %s', async (_what, who, action, resource, decision, rule) => {
    expect(await decisionOn(who, action, resource)).toMatchObject({ decision, context: { rule } });
  });

  test('counts where the shadow beside it would answer otherwise', async () => {
    // Nobody waits for a shadow, so it may not be there yet, or be behind: asked until it was.
    const report = async () => {
      expect(await decisionOn('ahab', 'moor', berth(50))).toMatchObject({ decision: false });
      return ask('/policy/status');
    };
    // Forty metres here, sixty there.
    const flips = {
      live: { decision: false, rule: 'not_of_this_crew' },
      shadow: { decision: true, rule: 'captain_moors' },
    };
    await expect
      .poll(report, { timeout: 60_000 })
      .toMatchObject({ version: 3, shadow: { version: 4, comparison: { by_rule: [flips] } } });
  });
});
