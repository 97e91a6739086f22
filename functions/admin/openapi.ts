import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../shared/kernel/index.ts';
import type { Operation } from './operation.ts';

/** The OpenAPI 3.1 document of a table of operations; schemas are JSON Schema 2020-12, which is what 3.1 takes. */
export function toOpenApi(operations: readonly Operation[]): JsonObject {
  const paths: Record<string, Record<string, JsonValue>> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    Object.assign(paths[operation.path] ?? {}, { [operation.method]: toOperationObject(operation) });
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'User & Organization Service: administration',
      version: '1',
      description:
        'Lists page by cursor, newest first; resources by id; resource types, trust rules and signing keys come whole. ' +
        'Failures are problem details (RFC 9457) with a stable code.',
    },
    security: [{ credential: [] }],
    paths,
    components: {
      securitySchemes: {
        credential: { type: 'http', scheme: 'bearer', description: 'An API key or an access token' },
      },
      schemas: { Problem: toJsonSchema(problemSchema, 'output') },
    },
  };
}

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Stable: act on this'),
    detail: z.string().optional(),
    instance: z.string().describe('Names the request'),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  })
  .describe('Problem details, RFC 9457');

function toOperationObject(operation: Operation): JsonObject {
  return {
    operationId: operation.id,
    summary: operation.summary,
    'x-permission': operation.permission,
    parameters: [
      ...toParameters(operation.schemas.path, 'path'),
      ...toParameters(operation.schemas.query, 'query'),
      ...(operation.creates ? [idempotencyKey] : []),
    ],
    ...toRequestBody(operation),
    responses: {
      [String(operation.status)]: { description: 'Done', content: toContent(operation) },
      default: {
        description: 'Refused or failed',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key and request within a day get the first answer again, and have one effect',
  schema: { type: 'string', pattern: '^[!-~]{1,128}$' },
};

function toParameters(schema: z.ZodObject, place: 'path' | 'query'): JsonObject[] {
  return Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || !z.safeParse(field, undefined).success,
    schema: toJsonSchema(field, 'output'),
  }));
}

function toRequestBody({ schemas, example }: Operation): JsonObject {
  if (Object.keys(schemas.body.shape).length === 0) return {};
  const media = {
    schema: toJsonSchema(schemas.body, 'input'),
    ...(example.body === undefined ? {} : { example: example.body as JsonObject }),
  };
  return {
    requestBody: {
      required: !schemas.body.safeParse({}).success,
      content: { 'application/json': media },
    },
  };
}

function toContent({ response }: Operation): JsonObject {
  if (response === 'file') return { 'application/octet-stream': {} };
  return { 'application/json': { schema: toJsonSchema(response, 'output') } };
}

function toJsonSchema(schema: z.core.$ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _version, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io });
  return rest as JsonObject;
}
