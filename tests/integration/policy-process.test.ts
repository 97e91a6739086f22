import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findS3Server, type S3Server, startS3Server } from '../../knative/local/s3-server.ts';
import { writeBundleFiles } from '../../policies/cli/bundle-path.ts';
import { type DatabasePool, openPool } from '../../shared/db/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { openObjectStore } from '../../shared/object-store/open-object-store.ts';
import { packPolicyBundle } from '../../shared/policy-bundle/index.ts';
import { askAuthorize, waitUntil } from '../support/authorize-instance.ts';
import { startAuthorizeProcess } from '../support/authorize-process.ts';
import { bundleFiles, createBundleSigner, signed, withData } from '../support/policy-bundle-fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openTestApiKeys, seedOrganization, type TestApiKeys } from '../support/seed-organization.ts';

const s3Program = await findS3Server();
const signer = createBundleSigner();
let database: TestDatabase;
let pool: DatabasePool;
let keys: TestApiKeys;
let scratch: string;
let s3: S3Server | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.appUrl, applicationName: 'test' });
  keys = await openTestApiKeys(pool);
  scratch = await mkdtemp(join(tmpdir(), 'uos-policy-process-'));
  await writeFile(join(scratch, 'trusted.pem'), signer.publicPem);
  s3 = s3Program === undefined ? undefined : await startS3Server({ directory: join(scratch, 's3') });
  await s3?.createBucket('policy');
});
afterAll(async () => {
  await s3?.stop();
  await keys.dispose();
  await pool.close();
  await database.drop();
  await rm(scratch, { recursive: true });
});

const start = (env: Record<string, string>) =>
  startAuthorizeProcess({
    databaseUrl: database.appUrl,
    wrappingKeyFile: keys.wrappingKeyFile,
    env: { POLICY_BUNDLE_POLL_SECONDS: '1', ...env },
  });

async function statusOf(base: string) {
  return JSON.parse(await (await fetch(`${base}/policy/status`)).text());
}

describe('the deployed function', () => {
  it.skipIf(s3Program === undefined)(
    'serves a signed bundle of a bucket, tries a shadow, and takes up the next',
    async () => {
      const bucket = `?endpoint=${s3?.endpoint}&region=${s3?.region}`;
      const credentials = { accessKeyId: s3?.accessKeyId ?? '', secretAccessKey: s3?.secretAccessKey ?? '' };
      const objects = openObjectStore(
        { url: `s3://policy${bucket}`, credentials },
        { clock: systemClock, random: systemRandom },
      );
      const publish = async (revision: string, version: number) => {
        const files = signed(await bundleFiles({ revision, version }), signer);
        await objects.put('authz.tar.gz', await packPolicyBundle(files), { contentType: 'application/gzip' });
      };
      await publish('first', 1);
      const generous = withData(await bundleFiles({ version: 9 }), 'generous', ({ roles }) => {
        roles.Developer.permissions = ['*:*'];
      });
      await writeBundleFiles(join(scratch, 'shadow'), signed(generous, signer));
      const process = await start({
        POLICY_BUNDLE_URL: `s3://policy/authz.tar.gz${bucket}`,
        POLICY_BUNDLE_TRUSTED_KEYS_FILE: join(scratch, 'trusted.pem'),
        POLICY_SHADOW_BUNDLE_URL: pathToFileURL(join(scratch, 'shadow')).href,
        OBJECT_STORE_ACCESS_KEY_ID: credentials.accessKeyId,
        OBJECT_STORE_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      });
      try {
        expect(await statusOf(process.base)).toMatchObject({
          revision: 'first',
          version: 1,
          source: 's3://policy/authz.tar.gz',
          signed_by: signer.id,
        });
        const organization = await seedOrganization(pool, {
          serviceAccounts: ['gateway'],
          bindings: [{ role: 'Developer', subject: 'gateway' }],
        });
        const token = (await keys.issue(organization, 'gateway')).text;
        await waitUntil(async () => (await statusOf(process.base)).shadow.revision === 'generous');
        const subject = { type: 'service_account', id: organization.idOf('gateway') };
        const question = { subject, action: { name: 'erase' }, resource: { type: 'moon', id: '1' } };
        expect((await askAuthorize(process.base, question, { token })).text).toBe('{"decision":false}');
        await waitUntil(async () => (await statusOf(process.base)).shadow.comparison?.disagreed === 1);
        await publish('second', 2);
        await waitUntil(async () => (await statusOf(process.base)).revision === 'second');
      } finally {
        await process.stop();
      }
    },
  );
});
