import { describe, expect, it } from 'vitest';
import { fail, ok } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { serviceAccountId } from '../service-account/index.ts';
import { checkReach, checkScopes } from './key-scopes.ts';
import type { OwnerRights } from './owner-rights.ts';

const about = {
  organizationId: organizationId.require('org_01h455vb4pex5vsknk084sn02q'),
  owner: { type: 'service_account', id: serviceAccountId.require('sa_01h455vb4pex5vsknk084sn02q') } as const,
};
const holding = (...held: string[]): OwnerRights => ({
  lacking: async (_organization, _owner, permissions) => ok(permissions.filter((one) => !held.includes(one))),
});
const check = (rights: OwnerRights, scopes: string[], callerScopes?: string[]) =>
  checkScopes(rights, { ...about, scopes, callerScopes });

describe('scopes', () => {
  it('are kept in the order given, each once', async () => {
    const rights = holding('a:read', 'b:read');
    expect(await check(rights, ['b:read', 'a:read', 'b:read'])).toEqual({
      ok: true,
      value: ['b:read', 'a:read'],
    });
  });

  it('that the owner does not hold are refused, all of them named', async () => {
    expect(await check(holding('a:read'), ['a:read', 'a:write', 'b:*', 'c:read'])).toMatchObject({
      failure: { code: 'api_key.scope_beyond_owner', scopes: ['a:write', 'c:read'] },
    });
  });

  it('of nobody are none', async () => {
    const nobody: OwnerRights = { lacking: async () => fail({ code: 'api_key.owner_not_found' }) };
    expect(await check(nobody, ['*:*'])).toMatchObject({ failure: { code: 'api_key.owner_not_found' } });
  });
});

describe('the reach of a caller', () => {
  it.each<[string[] | undefined, string[] | undefined, boolean]>([
    [undefined, undefined, true],
    [['*:*'], undefined, true],
    [undefined, ['*:*'], true],
    [undefined, ['a:*'], false],
    [['a:read', 'a:*'], ['a:*'], true],
    [['a:*'], ['a:read'], false],
    [['ab:read'], ['a:*'], false],
    [['*:*'], ['a:*', 'b:*'], false],
    [['a:read'], ['*:*'], true],
    [[], ['a:read'], true],
  ])('of a key with %j by a credential with %j: %s', (scopes, callerScopes, isWithin) => {
    expect(checkReach(scopes, callerScopes).ok).toBe(isWithin);
  });
});
