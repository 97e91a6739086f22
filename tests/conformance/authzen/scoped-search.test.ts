import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  createAuthorizeWorld,
  startAuthorizeInstance,
} from '../../support/authorize-instance.ts';
import { repeatUntil } from '../../support/repeat-until.ts';
import { issueScopedKey } from '../../support/scoped-api-key.ts';
import { ask } from './decision-point.ts';
import { createModel } from './organization-model.ts';
import {
  actionNames as actions,
  now,
  type RandomOrganization,
  randomOrganization,
  resourceTypes,
} from './random-organization.ts';
import { settle } from './settled-organization.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  instance = await startAuthorizeInstance(world, { clock: { now: () => now } });
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});

const scope = fc
  .tuple(fc.constantFrom(...resourceTypes), fc.constantFrom('*', ...actions))
  .map((segments) => segments.join(':'));
const scopes = fc.array(fc.oneof({ weight: 4, arbitrary: scope }, fc.constant('*:*')), {
  minLength: 1,
  maxLength: 3,
});

/** Else the robot would mostly have nothing to narrow, or no key that holds; denials still reach it. */
function withRights(drawn: RandomOrganization): RandomOrganization {
  const { roles, bindings } = drawn.seed;
  const seed = {
    ...drawn.seed,
    roles: { ...roles, all: ['doc:*', 'folder:*'] },
    bindings: [...bindings, { role: 'all', subject: 'robot' }],
  };
  const disabled = drawn.disabled.filter((name) => name !== 'robot');
  return { ...drawn, seed, disabled, robotEnds: undefined };
}

describe('over a random organization, a credential with random scopes', () => {
  it('is told in questions, batches and searches what the model permits within them', async () => {
    const seen = { permitted: 0, refused: 0, narrowed: 0 };
    const hasMetEnough = () => Math.min(...Object.values(seen)) > 10;
    await repeatUntil(hasMetEnough, () =>
      fc.assert(
        fc.asyncProperty(randomOrganization.map(withRights), scopes, async (drawn, narrow) => {
          const organization = await settle(world, drawn);
          const model = createModel(drawn, organization);
          const robot = { type: 'service_account', id: organization.idOf('robot') };
          const scoped = await issueScopedKey(world, { organization, account: 'robot', scopes: narrow });
          const { gateway } = organization;
          // What may I do, with this key? What may this key do, asked by somebody else?
          const askers = [
            { subject: robot, token: scoped.text },
            { subject: { type: 'api_key', id: scoped.key.id }, token: gateway.text },
          ];
          const post = async (path: string, body: object, token: string) => {
            const { status, json } = await ask(`${instance.base}/access/v1/${path}`, body, { token });
            expect(status).toBe(200);
            return json;
          };
          for (const type of resourceTypes) {
            const resources = model.resources(type).map((id) => ({ type, id }));
            const [resource = { type, id: 'unregistered' }] = resources;
            const permits = (action: string, about: typeof resource) =>
              model.permits(robot, action, about, { scopes: narrow });
            for (const action of actions) {
              const isPermitted = permits(action, resource);
              seen[isPermitted ? 'permitted' : 'refused']++;
              if (!isPermitted && model.permits(robot, action, resource)) seen.narrowed++;
            }
            for (const { subject, token } of askers) {
              const single = await post('evaluation', { subject, action: { name: 'read' }, resource }, token);
              expect(single).toEqual({ decision: permits('read', resource) });
              const items = actions.map((name) => ({ action: { name } }));
              const batch = await post('evaluations', { subject, resource, evaluations: items }, token);
              expect(batch.evaluations).toEqual(
                actions.map((action) => ({ decision: permits(action, resource) })),
              );
              const found = await post(
                'search/resource',
                { subject, action: { name: 'read' }, resource: { type } },
                token,
              );
              expect(found.results).toEqual(resources.filter((one) => permits('read', one)));
              const may = await post('search/action', { subject, resource }, token);
              const named = model.actions(type).filter((action) => permits(action, resource));
              expect(may.results).toEqual(named.map((name) => ({ name })));
            }
            const keys = await post(
              'search/subject',
              { subject: { type: 'api_key' }, action: { name: 'read' }, resource },
              gateway.text,
            );
            const isFound = keys.results.some(({ id }: { id: string }) => id === scoped.key.id);
            expect(isFound).toBe(permits('read', resource));
          }
        }),
        { numRuns: 25 },
      ),
    );
    // A property that never meets a scope that matters proves nothing about them.
    expect(seen).toSatisfy(hasMetEnough);
  }, 600_000);
});
