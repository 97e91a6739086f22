import { writeFile } from 'node:fs/promises';
import { toOpenApi } from './openapi.ts';
import { operations } from './operations.ts';

// Run by hand after a change of an operation; openapi.test.ts says when.
await writeFile(
  new URL('openapi.json', import.meta.url),
  `${JSON.stringify(toOpenApi(operations), null, 2)}\n`,
);
