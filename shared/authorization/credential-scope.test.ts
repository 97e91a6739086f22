import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { credentialScopeSchema, narrowScopes, narrowToCredential } from './credential-scope.ts';
import type { SubjectFacts } from './subject-facts.ts';

const organizationId = 'org_01h455vb4pex5vsknk084sn02q';
const holder = { organizationId, type: 'service_account', id: 'sa_1' };

function sourceOf(scopes?: readonly string[]) {
  const facts: SubjectFacts = {
    organization: { id: organizationId, status: 'active' },
    subject: { known: true, status: 'active', teams: [], ...(scopes === undefined ? {} : { scopes }) },
    bindings: [],
  };
  return { find: async () => facts };
}

describe('facts for the holder of a credential', () => {
  test('carry its scopes when they are of the holder itself', async () => {
    const source = narrowToCredential(sourceOf(), { ...holder, scopes: ['document:read'] });
    const { subject } = await source.find(organizationId, { type: 'service_account', id: 'sa_1' });
    expect(subject.scopes).toEqual(['document:read']);
  });

  // A gateway's key is scoped to asking; what the users may do, of whom it asks, has nothing to do with that.
  test.each([
    ['another subject', organizationId, { type: 'service_account', id: 'sa_2' }],
    ['a subject of another type with its id', organizationId, { type: 'user', id: 'sa_1' }],
    ['its namesake in another organization', 'org_01h455vb4pex5vsknk084sn02r', holder],
  ])('are what they are of %s', async (_, organization, subject) => {
    const source = sourceOf();
    const narrowed = narrowToCredential(source, { ...holder, scopes: ['document:read'] });
    expect(await narrowed.find(organization, subject)).toBe(await source.find());
  });

  test('are those of the source when the credential has no scopes', () => {
    const source = sourceOf();
    expect(narrowToCredential(source, holder)).toBe(source);
  });

  test('are narrowed twice when the subject is a scoped credential itself', async () => {
    const source = narrowToCredential(sourceOf(['document:*']), {
      ...holder,
      scopes: ['document:read', 'invoice:read'],
    });
    expect((await source.find(organizationId, holder)).subject.scopes).toEqual(['document:read']);
  });
});

describe('scopes within scopes', () => {
  const segments = ['document', 'invoice', 'doc'].flatMap((type) => [`${type}:read`, `${type}:*`]);
  const scopes = fc.array(fc.constantFrom('*:*', ...segments), { maxLength: 4 });
  const covers = (list: readonly string[], type: string) =>
    list.some((one) => one === '*:*' || one === `${type}:*` || one === `${type}:read`);

  test('cover exactly what both cover', () => {
    const isIntersection = (held: string[], by: string[], type: string) => {
      expect(covers(narrowScopes(held, by), type)).toBe(covers(held, type) && covers(by, type));
    };
    fc.assert(fc.property(scopes, scopes, fc.constantFrom('document', 'invoice', 'doc'), isIntersection));
  });
});

describe('the form of a scope', () => {
  test.each(['document:read', 'document:*', '*:*', 'api_key:issue', 'a.b-c:d_e'])(
    'is that of %s',
    (scope) => {
      expect(credentialScopeSchema.safeParse(scope).success).toBe(true);
    },
  );

  test.each(['*:read', '*', '', ':', 'document', 'Document:read', 'a:b:c', 'document:read ', 'doc*:read'])(
    'is not that of "%s"',
    (scope) => {
      expect(credentialScopeSchema.safeParse(scope).success).toBe(false);
    },
  );
});
