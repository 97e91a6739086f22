import { invariant } from '../../shared/kernel/index.ts';
import { seedOrganization } from '../support/seed-organization.ts';
import type { BenchScene } from './bench-scene.ts';

export type OfficeKey = { readonly id: string; readonly text: string };

/** An organization whose pipeline issues and revokes keys of a worker over the admin function, as automation does. */
export type KeyOffice = {
  issue(): Promise<OfficeKey>;
  revoke(key: OfficeKey): Promise<void>;
  /** The worker's question about itself, which anything may ask. */
  readonly question: string;
};

export async function openKeyOffice(scene: BenchScene, adminBase: string): Promise<KeyOffice> {
  const organization = await seedOrganization(scene.pool, {
    serviceAccounts: ['pipeline', 'worker'],
    bindings: [
      { role: 'OrgAdmin', subject: 'pipeline' },
      { role: 'Developer', subject: 'worker' },
    ],
  });
  const { text } = await scene.keys.issue(organization, 'pipeline');
  const root = `${adminBase}/v1/organizations/${organization.organizationId}`;
  let sent = 0;
  const post = async (path: string, status: number, body: object) => {
    const response = await fetch(root + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${text}`,
        'content-type': 'application/json',
        'idempotency-key': `bench-${sent++}`,
      },
      body: JSON.stringify(body),
    });
    const answer = await response.text();
    invariant(response.status === status, `${path} was answered ${response.status} ${answer}`);
    return JSON.parse(answer);
  };
  const worker = organization.idOf('worker');
  return {
    issue: async () => {
      const path = `/service-accounts/${worker}/api-keys`;
      const { id, text: issued } = await post(path, 201, { description: 'bench' });
      return { id, text: issued };
    },
    revoke: async ({ id }) => void (await post(`/api-keys/${id}/revoke`, 200, {})),
    question: JSON.stringify({
      subject: { type: 'service_account', id: worker },
      action: { name: 'read' },
      resource: { type: 'document', id: '1' },
    }),
  };
}
