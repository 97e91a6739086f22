import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type PolicyEngine,
  policyBundleFileNames,
  readPolicyBundle,
} from '../../shared/authorization/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export type PolicyBundleWatch = { close(): Promise<void> };

/**
 * Loads the bundle of a directory into the engine, and again whenever its manifest differs from the one last loaded.
 * By polling: a mounted ConfigMap or volume does not report changes. What cannot be used is logged once and tried
 * again; the last good bundle keeps answering. Resolves after the first try.
 */
export async function watchPolicyBundle(
  deps: { readonly engine: Pick<PolicyEngine, 'activate'>; readonly logger: Logger },
  options: { readonly directory: string; readonly intervalMs?: number },
): Promise<PolicyBundleWatch> {
  let loaded = '';
  let logged = '';

  async function load(): Promise<void> {
    const manifest = await readFile(join(options.directory, policyBundleFileNames.manifest), 'utf8').catch(
      () => '',
    );
    if (manifest === loaded && manifest !== '') return;
    const bundle = await readPolicyBundle(options.directory);
    const activated = bundle.ok ? await deps.engine.activate(bundle.value) : bundle;
    if (!activated.ok) return report(activated.failure);
    loaded = manifest;
    logged = '';
    deps.logger.info({ policyRevision: activated.value.revision }, 'Policy bundle activated');
  }
  /** A bundle that is being copied is broken for a moment, and a broken one stays so: one line is enough. */
  function report(failure: { readonly code: string; readonly detail: string }): void {
    const line = `${failure.code} ${failure.detail}`;
    if (line !== logged) deps.logger.error({ ...failure }, 'Policy bundle refused; the last good one stays');
    logged = line;
  }
  const attempt = () =>
    load().catch((error: unknown) => deps.logger.error({ error }, 'The policy bundle could not be read'));

  await attempt();
  let running: Promise<void> = Promise.resolve();
  let timer = setTimeout(tick, options.intervalMs ?? 5_000);
  function tick(): void {
    running = attempt().then(() => {
      timer = setTimeout(tick, options.intervalMs ?? 5_000);
    });
  }
  return {
    close: async () => {
      clearTimeout(timer);
      await running;
      clearTimeout(timer);
    },
  };
}
