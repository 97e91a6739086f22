import { describe, expect, test } from 'vitest';
import { type ClusterObjects, environmentOf, requireRead } from './environment.ts';
import type { EnvironmentEntry, ServiceManifest } from './manifests.ts';

const fromConfigMap = (name: string, key: string, optional: boolean): EnvironmentEntry => ({
  name,
  valueFrom: { configMapKeyRef: { name: 'uos-platform', key, optional } },
});

function service(...env: EnvironmentEntry[]): ServiceManifest {
  const volumeMounts = [{ name: 'policy', mountPath: '/var/run/uos/policy' }];
  const spec = { timeoutSeconds: 60, containers: [{ env, volumeMounts }] };
  return { kind: 'Service', metadata: { name: 'authorize' }, spec: { template: { spec } } };
}

const objects = (settings: Record<string, string>): ClusterObjects => ({
  configMaps: { 'uos-platform': settings },
  secrets: {},
  volumes: {},
});

describe('the environment of a container', () => {
  test('lacks what is optional and not there, and has it once it is', () => {
    const manifest = service(fromConfigMap('POLICY_BUNDLE_URL', 'policy-bundle-url', true));
    expect(environmentOf(manifest, objects({}))).toEqual({});
    expect(environmentOf(manifest, objects({ 'policy-bundle-url': 'file:///b' }))).toEqual({
      POLICY_BUNDLE_URL: 'file:///b',
    });
  });

  test('is refused when something is missing that is not optional', () => {
    const manifest = service(fromConfigMap('AUDIENCE', 'audience', false));
    expect(() => environmentOf(manifest, objects({}))).toThrow(/config map uos-platform, key audience/);
  });

  test('takes no setting that nobody reads', () => {
    const services = [service(fromConfigMap('AUDIENCE', 'audience', false))];
    expect(() => requireRead(services, 'uos-platform', { audience: 'urn:a' })).not.toThrow();
    expect(() => requireRead(services, 'uos-platform', { audeince: 'urn:a' })).toThrow(/audeince/);
  });
});
