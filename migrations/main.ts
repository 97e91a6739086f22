import { migrateToLatest } from './index.ts';

const ownerUrl = process.env['DATABASE_OWNER_URL'];
if (ownerUrl === undefined) {
  console.error('DATABASE_OWNER_URL is not set: a postgres:// URL of the role that owns the schema');
  process.exit(1);
}
const applied = await migrateToLatest(ownerUrl);
console.log(applied.length === 0 ? 'The schema is up to date' : `Applied ${applied.join(', ')}`);
