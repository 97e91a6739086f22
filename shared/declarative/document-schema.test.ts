import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toJsonSchemas } from './document-schema.ts';

const folder = new URL('schema/v1/', import.meta.url);
const schemas = toJsonSchemas();

// After changing document-schema.ts: UPDATE_SCHEMAS=1 npx vitest run shared/declarative/document-schema.test.ts
if (process.env['UPDATE_SCHEMAS'] === '1') {
  for (const [name, schema] of schemas) {
    writeFileSync(new URL(name, folder), `${JSON.stringify(schema, null, 2)}\n`);
  }
}

test.each([...schemas])('the committed JSON Schema %s is the one of the code', (name, schema) => {
  expect(JSON.parse(readFileSync(new URL(name, folder), 'utf8'))).toEqual(JSON.parse(JSON.stringify(schema)));
});

test('no JSON Schema is left over from a kind that is gone', () => {
  expect(readdirSync(folder).sort()).toEqual([...schemas.keys()].sort());
});
