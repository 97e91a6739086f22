import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { toOpenApi } from './openapi.ts';
import { operations } from './operations.ts';

describe('the OpenAPI document', () => {
  it('is committed as the operations are now (else: npm run gen)', async () => {
    const committed = await readFile(new URL('openapi.json', import.meta.url), 'utf8');
    expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(toOpenApi(operations))));
  });

  it('names every operation once, and no route twice', () => {
    expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
    expect(new Set(operations.map(({ method, path }) => `${method} ${path}`)).size).toBe(operations.length);
  });

  it.each(operations.map((operation) => [operation.id, operation] as const))(
    'describes each parameter of the path of %s, and gives an example body that it accepts',
    (_id, { path, schemas, example }) => {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect(Object.keys(schemas.path.shape).sort()).toEqual(inPath.sort());
      expect(schemas.body.safeParse(example.body ?? {}).error).toBeUndefined();
    },
  );

  it('lets every operation that makes something be repeated with a key', () => {
    for (const { method, status, creates } of operations)
      expect(creates).toBe(method === 'post' && status > 200);
  });
});
