import type { EnvironmentEntry, ServiceManifest } from './manifests.ts';

/** What a cluster would hold: config maps and secrets by name and key, and volumes as directories. */
export type ClusterObjects = {
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Directory that stands for the volume of that name. */
  readonly volumes: Readonly<Record<string, string>>;
};

/** The environment a Service's manifest gives its container, resolved as the cluster would; throws for what is missing. */
export function environmentOf(manifest: ServiceManifest, objects: ClusterObjects): Record<string, string> {
  const [container] = manifest.spec.template.spec.containers;
  if (container === undefined) throw new Error(`Service ${manifest.metadata.name} has no container`);
  const entries = container.env.map((entry) => {
    const value = resolvedValue(manifest.metadata.name, entry, objects);
    return [entry.name, underVolume(value, container.volumeMounts, objects)] as const;
  });
  return Object.fromEntries(entries);
}

function resolvedValue(service: string, entry: EnvironmentEntry, objects: ClusterObjects): string {
  if ('value' in entry) return entry.value;
  const isSecret = 'secretKeyRef' in entry.valueFrom;
  const { name, key } =
    'secretKeyRef' in entry.valueFrom ? entry.valueFrom.secretKeyRef : entry.valueFrom.configMapKeyRef;
  const value = (isSecret ? objects.secrets : objects.configMaps)[name]?.[key];
  if (value === undefined) {
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
