import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { z } from 'zod';

type Manifest = {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  spec: Record<string, unknown>;
};

const autoscaling = 'autoscaling.knative.dev';
const root = join(import.meta.dirname, '..', '..');
const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );

async function manifestsOf(folder: string): Promise<Manifest[]> {
  const files = (await readdir(join(root, 'knative', folder))).filter(
    (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml',
  );
  const texts = await Promise.all(files.map((file) => readFile(join(root, 'knative', folder, file), 'utf8')));
  return texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Manifest));
}

const base = await manifestsOf('base');
const triggers = await manifestsOf('triggers');
const services = base.filter(({ kind }) => kind === 'Service');
const functions = (await readdir(join(root, 'functions'), { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

test('every function has one Service and one ServiceAccount of its name, and no Service lacks a function', () => {
  expect(services.map(({ metadata }) => metadata.name).sort()).toEqual([...functions].sort());
  expect(
    base
      .filter(({ kind }) => kind === 'ServiceAccount')
      .map(({ metadata }) => metadata.name)
      .sort(),
  ).toEqual([...functions].sort());
});

// A variable that is misspelt in one place would be found by a cluster only, at start.
test.each(functions)(
  'the manifest of %s gives what its configuration reads, and nothing else',
  async (name) => {
    const { configSchema } = (await import(join(root, 'functions', name, 'config.ts'))) as {
      configSchema: z.ZodObject;
    };
    const service = services.find(({ metadata }) => metadata.name === name);
    const given = (at(service?.spec, 'template', 'spec', 'containers', 0, 'env') as { name: string }[]).map(
      (entry) => entry.name,
    );
    const read = Object.keys(configSchema.shape);
    const required = read.filter(
      (key) => key !== 'PORT' && !configSchema.shape[key]?.safeParse(undefined).success,
    );
    expect(read).toEqual(expect.arrayContaining(given));
    expect(given).toEqual(expect.arrayContaining(required));
  },
);

// A policy, a stream or a limit that no manifest names can be switched on by nobody who does not write manifests.
test('every setting of the decision point can be made in a config map or a secret', async () => {
  const { configSchema } = await import('../../functions/authorize/config.ts');
  const service = services.find(({ metadata }) => metadata.name === 'authorize');
  const given = at(service?.spec, 'template', 'spec', 'containers', 0, 'env') as { name: string }[];
  const names = Object.keys(configSchema.shape).filter((name) => name !== 'PORT');
  expect(given.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
});

// Threat: a volume that must be there keeps every pod of the decision point from starting where nobody asked for it.
test('whoever has no policy of his own needs no config map for one', () => {
  const service = services.find(({ metadata }) => metadata.name === 'authorize');
  const pod = at(service?.spec, 'template', 'spec');
  expect(at(pod, 'volumes')).toContainEqual({
    name: 'policy',
    configMap: { name: 'uos-policy', optional: true },
  });
  const given = at(pod, 'containers', 0, 'env') as { name: string; valueFrom?: unknown }[];
  const optional = given.filter(({ name }) => /^POLICY_|_RATE_|_BURST$|^DECISION_/.test(name));
  expect(optional.length).toBeGreaterThanOrEqual(11);
  for (const entry of optional) expect(at(entry, 'valueFrom', 'configMapKeyRef', 'optional')).toBe(true);
});

describe.each(services.map((service) => [service.metadata.name, service] as const))(
  'Service %s',
  (_name, service) => {
    const annotations = at(service.spec, 'template', 'metadata', 'annotations') as Record<string, unknown>;
    const pod = at(service.spec, 'template', 'spec');
    const container = at(pod, 'containers', 0);
    const scale = (key: string) => Number(annotations[`autoscaling.knative.dev/${key}`]);

    test('gives every autoscaling annotation as a string, with max-scale not below min-scale', () => {
      for (const value of Object.values(annotations)) expect(value).toBeTypeOf('string');
      expect(scale('max-scale')).toBeGreaterThanOrEqual(Math.max(1, scale('min-scale')));
    });

    // timeoutSeconds becomes the grace period, and queue-proxy's drain alone needs 30 s without a request.
    test('leaves time to drain', () => expect(at(pod, 'timeoutSeconds')).toBeGreaterThanOrEqual(45));

    test('runs as nobody, with no privilege, on a read-only file system', () => {
      expect(at(container, 'securityContext')).toEqual({
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(at(pod, 'automountServiceAccountToken')).toBe(false);
    });

    // Secrets are mounted for root and a group: without it the process cannot read its own key and never starts.
    test('may read every secret that is mounted for it', () => {
      const volumes = (at(pod, 'volumes') ?? []) as { secret?: { defaultMode?: number } }[];
      const secrets = volumes.flatMap(({ secret }) => secret ?? []);
      if (secrets.length === 0) return;
      expect(at(pod, 'securityContext', 'fsGroup')).toBe(at(container, 'securityContext', 'runAsGroup'));
      for (const { defaultMode = 0 } of secrets) expect(defaultMode & 0o040).toBe(0o040);
    });

    test('states what it needs, and probes what is cheap', () => {
      expect(at(container, 'resources', 'requests', 'cpu')).toBeDefined();
      expect(at(container, 'resources', 'limits', 'memory')).toBeDefined();
      expect(at(container, 'readinessProbe', 'httpGet', 'path')).toBe('/health/ready');
    });

    test('takes secrets from secrets, never as a value', () => {
      for (const entry of at(container, 'env') as { name: string; value?: string }[]) {
        if (/KEY|SECRET|PASSWORD|DATABASE_URL/.test(entry.name) && !entry.name.endsWith('_FILE'))
          expect(entry.value).toBeUndefined();
      }
    });
  },
);

test('only what people and forges call is public', () => {
  const isPublic = ({ metadata }: Manifest) =>
    metadata.labels?.['networking.knative.dev/visibility'] !== 'cluster-local';
  expect(
    services
      .filter(isPublic)
      .map(({ metadata }) => metadata.name)
      .sort(),
  ).toEqual(['admin', 'git-webhook', 'token']);
});

test('the decision point stays warm, with enough pods that the activator leaves its path', () => {
  const authorize = services.find(({ metadata }) => metadata.name === 'authorize');
  const annotations = at(authorize?.spec, 'template', 'metadata', 'annotations') as Record<string, string>;
  expect(Number(annotations['autoscaling.knative.dev/min-scale'])).toBeGreaterThanOrEqual(3);
  expect(annotations['autoscaling.knative.dev/target-burst-capacity']).toBe('0');
});

// Threat: one hop too many, and a caller writes his own address; one too few, and all share that of a proxy.
describe.each(
  services
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      capacity: at(spec, 'template', 'metadata', 'annotations', `${autoscaling}/target-burst-capacity`),
      env: at(spec, 'template', 'spec', 'containers', 0, 'env') as { name: string; value?: string }[],
    }))
    .flatMap(({ name, capacity, env }) => {
      const hops = env.find((entry) => entry.name === 'TRUSTED_HOPS');
      return hops === undefined ? [] : [{ name, capacity, hops: hops.value }];
    }),
)('the address of a caller of $name', ({ capacity, hops }) => {
  test('is found behind the proxies of its path: ingress, queue-proxy, and the activator always or never', () => {
    expect(['0', '-1']).toContain(capacity);
    expect(hops).toBe(capacity === '-1' ? '3' : '2');
  });
});

test('every Service that anybody can reach says how many proxies are in front of it', () => {
  const saying = services.filter(({ spec }) =>
    (at(spec, 'template', 'spec', 'containers', 0, 'env') as { name: string }[]).some(
      ({ name }) => name === 'TRUSTED_HOPS',
    ),
  );
  expect(saying.map(({ metadata }) => metadata.name).sort()).toEqual([
    'admin',
    'authorize',
    'git-webhook',
    'token',
  ]);
});

describe.each(
  triggers
    .filter(({ kind }) => kind === 'KafkaSource')
    .map((source) => [source.metadata.name, source] as const),
)('KafkaSource %s', (_name, source) => {
  test('writes every delivery field, because a delivery block replaces all defaults', () => {
    expect(Object.keys(at(source.spec, 'delivery') as object).sort()).toEqual([
      'backoffDelay',
      'backoffPolicy',
      'deadLetterSink',
      'retry',
      'timeout',
    ]);
    expect([at(source.spec, 'initialOffset'), at(source.spec, 'ordering')]).toEqual(['earliest', 'ordered']);
  });

  test('delivers to a Service that is there, and dead-letters to a KafkaSink that is there', () => {
    expect(functions).toContain(at(source.spec, 'sink', 'ref', 'name'));
    const sinks = triggers.filter(({ kind }) => kind === 'KafkaSink').map(({ metadata }) => metadata.name);
    expect(sinks).toContain(at(source.spec, 'delivery', 'deadLetterSink', 'ref', 'name'));
  });

  test('waits less than the Service may take', () => {
    const service = services.find(({ metadata }) => metadata.name === at(source.spec, 'sink', 'ref', 'name'));
    const seconds = Number(/^PT(\d+)S$/.exec(String(at(source.spec, 'delivery', 'timeout')))?.[1]);
    expect(seconds).toBeLessThanOrEqual(Number(at(service?.spec, 'template', 'spec', 'timeoutSeconds')));
  });
});

test('every schedule ticks a Service that is there', () => {
  for (const source of triggers.filter(({ kind }) => kind === 'PingSource'))
    expect(functions).toContain(at(source.spec, 'sink', 'ref', 'name'));
});

test('kustomizations name every manifest file', async () => {
  for (const folder of ['base', 'triggers']) {
    const files = (await readdir(join(root, 'knative', folder))).filter(
      (name) => name !== 'kustomization.yaml',
    );
    const text = await readFile(join(root, 'knative', folder, 'kustomization.yaml'), 'utf8');
    for (const file of files) expect(text).toContain(`- ${file}`);
  }
});
