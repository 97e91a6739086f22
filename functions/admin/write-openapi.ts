import { writeFile } from 'node:fs/promises';
import { toOpenApi } from './openapi.ts';
import { operations } from './operations.ts';

/** `openapi.json`, as the operations are now. */
export async function writeOpenApi(): Promise<void> {
  const text = `${JSON.stringify(toOpenApi(operations), null, 2)}\n`;
  await writeFile(new URL('openapi.json', import.meta.url), text);
}

if (import.meta.main) await writeOpenApi();
