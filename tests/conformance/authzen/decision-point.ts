import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePolicy } from '../../../policies/build.ts';
import { policyBundleFileNames, policyEntrypoint } from '../../../shared/authorization/index.ts';
import { createFileBundleSource } from '../../../shared/policy-bundle/policy-bundle-source.file.ts';
import {
  createAuthorizeWorld,
  setScene,
  startAuthorizeInstance,
  waitUntil,
} from '../../support/authorize-instance.ts';

const capabilities = join(import.meta.dirname, '../../../policies/capabilities.json');

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire is what the tests look at.
  readonly json: any;
};

export type AskOptions = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string | undefined;
};

export type DecisionPoint = AsyncDisposable & {
  /** POSTs as a permitted caller unless told otherwise; text is sent as it is. */
  ask(path: string, body: unknown, options?: AskOptions): Promise<Answer>;
};

/** The authorize function, serving the policy and data of a folder beside this file and knowing none of its subjects. */
export async function startDecisionPoint(opa: string, scenario: string): Promise<DecisionPoint> {
  const bundle = await compileScenario(opa, scenario);
  const world = await createAuthorizeWorld();
  const custom = { source: createFileBundleSource(bundle) };
  const instance = await startAuthorizeInstance(world, { policies: { custom } });
  // On a slow machine the start does not wait for the first look.
  await waitUntil(async () => instance.engine.status().revision === scenario);
  const { gateway } = await setScene(world);
  return {
    ask: (path, body, options = {}) => ask(instance.base + path, body, { token: gateway.text, ...options }),
    [Symbol.asyncDispose]: async () => {
      await instance.close();
      await world[Symbol.asyncDispose]();
      await rm(bundle, { recursive: true });
    },
  };
}

export async function ask(url: string, body: unknown, options: AskOptions): Promise<Answer> {
  const { method = 'POST', token, headers } = options;
  const response = await fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

/** Into a bundle's directory, to be removed by the caller. */
export async function compileScenario(opa: string, scenario: string): Promise<string> {
  const folder = join(import.meta.dirname, scenario);
  const sources = (await readdir(folder)).filter((name) => /\.(rego|json)$/.test(name));
  const compiled = await compilePolicy(opa, { directory: folder, sources, capabilities });
  const digests = {
    wasm_sha256: sha256(compiled.wasm),
    data_sha256: sha256(compiled.data),
    source_sha256: sha256(Buffer.from(scenario)),
  };
  const manifest = { revision: scenario, entrypoint: policyEntrypoint, opa_version: '1', ...digests };
  const directory = await mkdtemp(join(tmpdir(), 'uos-scenario-'));
  await writeFile(join(directory, policyBundleFileNames.wasm), compiled.wasm);
  await writeFile(join(directory, policyBundleFileNames.data), compiled.data);
  await writeFile(join(directory, policyBundleFileNames.manifest), JSON.stringify(manifest));
  return directory;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
