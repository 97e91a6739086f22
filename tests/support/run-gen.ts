import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { writeOpenApi } from '../../functions/admin/write-openapi.ts';
import { buildPolicyBundle } from '../../policies/build.ts';

/** `npm run gen`: writes anew what is committed and derived. Tests tell when it is not what it is derived from. */
const root = join(import.meta.dirname, '..', '..');
await writeOpenApi();
const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
execFileSync(process.execPath, [biome, 'format', '--write', 'functions/admin/openapi.json'], { cwd: root });
const { status, revision } = await buildPolicyBundle();
console.log(`OpenAPI description: written\nPolicy bundle ${revision}: ${status}`);
