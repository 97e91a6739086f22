import type { EnvironmentEntry, ServiceManifest } from './manifests.ts';

/** What a cluster would hold: config maps and secrets by name and key, and volumes as directories. */
export type ClusterObjects = {
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Directory that stands for the volume of that name. */
  readonly volumes: Readonly<Record<string, string>>;
};

/**
 * The environment a Service's manifest gives its container, resolved as the cluster would: an optional key that is not
 * there leaves its variable out. Throws for any other that is missing.
 */
export function environmentOf(manifest: ServiceManifest, objects: ClusterObjects): Record<string, string> {
  const [container] = manifest.spec.template.spec.containers;
  if (container === undefined) throw new Error(`Service ${manifest.metadata.name} has no container`);
  const entries = container.env.flatMap((entry) => {
    const value = resolvedValue(manifest.metadata.name, entry, objects);
    if (value === undefined) return [];
    return [[entry.name, underVolume(value, container.volumeMounts, objects)] as const];
  });
  return Object.fromEntries(entries);
}

/** Throws for a setting that no Service reads: it would be left out unsaid. */
export function requireRead(
  services: readonly ServiceManifest[],
  configMap: string,
  settings: Readonly<Record<string, string>>,
): void {
  const refs = services
    .flatMap(({ spec }) => spec.template.spec.containers.flatMap(({ env }) => env))
    .flatMap((entry) =>
      'valueFrom' in entry && 'configMapKeyRef' in entry.valueFrom ? [entry.valueFrom.configMapKeyRef] : [],
    );
  const read = new Set(refs.filter(({ name }) => name === configMap).map(({ key }) => key));
  const unread = Object.keys(settings).filter((key) => !read.has(key));
  if (unread.length > 0) throw new Error(`No Service reads ${unread.join(', ')} of config map ${configMap}`);
}

function resolvedValue(
  service: string,
  entry: EnvironmentEntry,
  objects: ClusterObjects,
): string | undefined {
  if ('value' in entry) return entry.value;
  const isSecret = 'secretKeyRef' in entry.valueFrom;
  const { name, key, optional } =
    'secretKeyRef' in entry.valueFrom ? entry.valueFrom.secretKeyRef : entry.valueFrom.configMapKeyRef;
  const value = (isSecret ? objects.secrets : objects.configMaps)[name]?.[key];
  if (value === undefined && !optional) {
    throw new Error(
      `Service ${service} asks for ${isSecret ? 'secret' : 'config map'} ${name}, key ${key}, which the local platform does not have`,
    );
  }
  return value;
}

function underVolume(
  value: string,
  mounts: readonly { name: string; mountPath: string }[],
  objects: ClusterObjects,
): string {
  const mount = mounts.find(({ mountPath }) => value.startsWith(`${mountPath}/`));
  if (mount === undefined) return value;
  const directory = objects.volumes[mount.name];
  if (directory === undefined) throw new Error(`There is no volume named ${mount.name}`);
  return directory + value.slice(mount.mountPath.length);
}
