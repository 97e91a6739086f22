import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/** The part of the manifests that decides how a function runs. Fields beyond it are the cluster's own business. */
const keyRef = z.object({ name: z.string(), key: z.string(), optional: z.boolean().default(false) });

const environmentEntry = z.union([
  z.strictObject({ name: z.string(), value: z.string() }),
  z.strictObject({
    name: z.string(),
    valueFrom: z.union([
      z.strictObject({ secretKeyRef: keyRef }),
      z.strictObject({ configMapKeyRef: keyRef }),
    ]),
  }),
]);

const sinkRef = z.object({ ref: z.object({ kind: z.enum(['Service', 'KafkaSink']), name: z.string() }) });
const metadata = z.object({ name: z.string() });

const service = z.object({
  kind: z.literal('Service'),
  metadata,
  spec: z.object({
    template: z.object({
      spec: z.object({
        timeoutSeconds: z.number(),
        containers: z
          .array(
            z.object({
              env: z.array(environmentEntry),
              volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).default([]),
            }),
          )
          .length(1),
      }),
    }),
  }),
});

const kafkaSource = z.object({
  kind: z.literal('KafkaSource'),
  metadata,
  spec: z.object({
    topics: z.array(z.string()).min(1),
    consumerGroup: z.string(),
    ordering: z.literal('ordered'),
    delivery: z.object({
      retry: z.int(),
      backoffPolicy: z.enum(['linear', 'exponential']),
      backoffDelay: z.string(),
      timeout: z.string(),
      deadLetterSink: sinkRef,
    }),
    sink: sinkRef,
  }),
});

const kafkaSink = z.object({ kind: z.literal('KafkaSink'), metadata, spec: z.object({ topic: z.string() }) });

const pingSource = z.object({
  kind: z.literal('PingSource'),
  metadata,
  spec: z.object({ schedule: z.string(), data: z.string(), contentType: z.string(), sink: sinkRef }),
});

export type ServiceManifest = z.infer<typeof service>;
export type KafkaSourceManifest = z.infer<typeof kafkaSource>;
export type PingSourceManifest = z.infer<typeof pingSource>;
export type EnvironmentEntry = z.infer<typeof environmentEntry>;

export type Manifests = {
  readonly services: readonly ServiceManifest[];
  readonly kafkaSources: readonly KafkaSourceManifest[];
  readonly kafkaSinks: readonly z.infer<typeof kafkaSink>[];
  readonly pingSources: readonly PingSourceManifest[];
};

/** Reads every manifest of `base` and `triggers`; throws naming the file of one that does not fit. */
export async function readManifests(knativeDirectory: string): Promise<Manifests> {
  const documents = (
    await Promise.all(['base', 'triggers'].map((folder) => readDocuments(join(knativeDirectory, folder))))
  ).flat();
  const ofKind = <Schema extends z.ZodType>(kind: string, apiGroup: string, schema: Schema) =>
    documents
      .filter(({ value }) => value.kind === kind && value.apiVersion?.startsWith(apiGroup))
      .map(({ file, value }) => parsed(file, schema, value));
  return {
    services: ofKind('Service', 'serving.knative.dev/', service),
    kafkaSources: ofKind('KafkaSource', 'sources.knative.dev/', kafkaSource),
    kafkaSinks: ofKind('KafkaSink', 'eventing.knative.dev/', kafkaSink),
    pingSources: ofKind('PingSource', 'sources.knative.dev/', pingSource),
  };
}

type ReadDocument = { file: string; value: { kind?: string; apiVersion?: string } };

async function readDocuments(directory: string): Promise<ReadDocument[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  const read = async (name: string) => {
    const file = join(directory, name);
    return parseAllDocuments(await readFile(file, 'utf8')).map((document) => ({
      file,
      value: document.toJS() ?? {},
    }));
  };
  return (await Promise.all(files.map(read))).flat();
}

function parsed<Schema extends z.ZodType>(file: string, schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw new Error(`Manifest "${file}" does not fit:\n${z.prettifyError(result.error)}`);
  return result.data;
}
