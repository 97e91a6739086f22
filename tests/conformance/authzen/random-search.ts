import fc from 'fast-check';
import type { SearchKind } from '../../../shared/authorization/index.ts';
import type { AskedOfModel, Entity, OrganizationModel, SubjectType } from './organization-model.ts';
import {
  actionNames,
  departments,
  drawn,
  now,
  resourceIds,
  resourceTypes,
  teams,
} from './random-organization.ts';
import type { SettledOrganization } from './settled-organization.ts';

const subjectTypes: readonly SubjectType[] = ['user', 'service_account', 'group', 'api_key'];
/** Each search with each type of subject: none is left to chance. One among resources tries the least, so there are more. */
const times = { subject: 1, resource: 3, action: 2 };
const searchKinds: readonly SearchKind[] = ['subject', 'resource', 'action'];
export const searchForms: readonly SearchForm[] = searchKinds.flatMap((search) =>
  subjectTypes.flatMap((subjectType) =>
    Array.from({ length: times[search] }, () => ({ search, subjectType })),
  ),
);
export type SearchForm = { readonly search: SearchKind; readonly subjectType: SubjectType };

/** Places count around among what there is; names are of the organization. */
export type DrawnSearch = {
  readonly subject: number;
  readonly action: string;
  readonly type: string;
  readonly resource: number;
  readonly subjectProperties: { readonly department?: string; readonly id?: string } | undefined;
  readonly resourceProperties:
    | {
        readonly team?: string;
        readonly owner?: string;
        readonly department?: string;
        readonly level?: number;
        readonly organization?: string;
      }
    | undefined;
  readonly context: AskedOfModel['context'];
};

const second = now.getTime() / 1000;
const often = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: value });
const stated = <T extends object>(values: { [Name in keyof T]: fc.Arbitrary<T[Name]> }) =>
  often(fc.record(values, { requiredKeys: [] }));

/** A request may state what it likes: of what is registered it is not believed, of the rest it is all there is. */
const randomSearch: fc.Arbitrary<DrawnSearch> = fc.record({
  subject: fc.nat(1000),
  action: fc.constantFrom(...actionNames, 'read', 'read', 'read', 'read', 'read'),
  type: fc.constantFrom(...resourceTypes, ...resourceTypes, ...resourceTypes, 'note'),
  resource: fc.nat(1000),
  subjectProperties: stated({
    department: fc.constantFrom(...departments),
    id: fc.constantFrom(...drawn),
  }),
  resourceProperties: stated({
    team: fc.constantFrom(...teams),
    owner: fc.constantFrom('self', 'self', 'self', ...drawn),
    department: fc.constantFrom(...departments),
    level: fc.constantFrom(2, 3),
    organization: fc.constantFrom('own', 'own', 'own', 'own', 'other'),
  }),
  context: often(
    fc.record(
      {
        authentication: fc.record(
          {
            amr: fc.constantFrom(['pwd'], ['pwd', 'mfa']),
            acr: fc.constantFrom('0', 'phr', 'https://refeds.org/profile/mfa'),
            auth_time: fc.constantFrom(second - 301, second - 300, second),
          },
          { requiredKeys: ['amr'] },
        ),
        network: fc.record({ ip: fc.constantFrom('10.1.2.3', '10.9.9.9', '11.0.0.1', '2001:db8::1') }),
      },
      { requiredKeys: [] },
    ),
  ),
});

/** One of each form, in the order of the forms. */
export const randomSearches = fc.array(randomSearch, {
  minLength: searchForms.length,
  maxLength: searchForms.length,
});

export type Search = {
  readonly kind: SearchKind;
  readonly body: object;
  /** What the model finds. */
  expected(without?: AskedOfModel['without']): readonly string[];
};

export function toSearch(
  form: SearchForm,
  drawnSearch: DrawnSearch,
  { settled, model }: { settled: SettledOrganization; model: OrganizationModel },
): Search {
  const { search: kind, subjectType } = form;
  const { action, type, context } = drawnSearch;
  const subject = toSubject(form, drawnSearch, { settled, model });
  const resource = toResource(drawnSearch, subject, { settled, model });
  const permits = (one: Entity, name: string, other: Entity, without: AskedOfModel['without']) =>
    model.permits(one, name, other, { context, ...(without === undefined ? {} : { without }) });
  const told = context === undefined ? {} : { context };
  switch (kind) {
    case 'subject': {
      const { id: _, ...sought } = subject;
      return {
        kind,
        body: { subject: sought, action: { name: action }, resource, ...told },
        expected: (without) =>
          model.subjects(subjectType).filter((id) => permits({ ...subject, id }, action, resource, without)),
      };
    }
    case 'resource': {
      const { id: _, ...sought } = resource;
      return {
        kind,
        body: { subject, action: { name: action }, resource: sought, ...told },
        expected: (without) =>
          model.resources(type).filter((id) => permits(subject, action, { ...resource, id }, without)),
      };
    }
    case 'action':
      return {
        kind,
        body: { subject, resource, ...told },
        expected: (without) =>
          model.actions(type).filter((name) => permits(subject, name, resource, without)),
      };
  }
}

type Scene = { readonly settled: SettledOrganization; readonly model: OrganizationModel };

function toSubject(
  { subjectType }: SearchForm,
  { subject, subjectProperties }: DrawnSearch,
  { settled, model }: Scene,
): Entity {
  const known = model.subjects(subjectType);
  const ids = [...known, ...known, `${subjectType}_nobody`];
  const id = ids[subject % ids.length] ?? '';
  if (subjectProperties === undefined) return { type: subjectType, id };
  // Nobody is who it says it is: what a request states as the subject's own id is not believed.
  const { id: claimed, ...rest } = subjectProperties;
  const properties = { ...rest, ...(claimed === undefined ? {} : { id: settled.idOf(claimed) }) };
  return { type: subjectType, id, properties };
}

/** One that is registered, or seldom one that may not be. */
function toResource(
  { type, resource, resourceProperties }: DrawnSearch,
  subject: Entity,
  { settled, model }: Scene,
): Entity {
  const registered = model.resources(type);
  const ids = [...registered, ...registered, ...resourceIds.slice(0, 3)];
  const id = ids[resource % ids.length] ?? '';
  if (resourceProperties === undefined) return { type, id };
  const { team, owner, organization, ...rest } = resourceProperties;
  const ownerOfAll = organization === 'own' ? settled.organizationId : 'org_00000000000000000000000001';
  const properties = {
    ...rest,
    ...(team === undefined ? {} : { team: settled.idOf(team) }),
    ...(owner === undefined ? {} : { owner: owner === 'self' ? subject.id : settled.idOf(owner) }),
    ...(organization === undefined ? {} : { organization: ownerOfAll }),
  };
  return { type, id, properties };
}
