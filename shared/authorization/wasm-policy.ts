import * as sdk from '@open-policy-agent/opa-wasm';
import { invariant } from '../kernel/index.ts';
import { candidatesEntrypoint, type PolicyBundle, policyEntrypoint } from './policy-bundle.ts';

// The package's types declare as a named export what its ES module has only inside the default one.
const { loadPolicySync } = (sdk as unknown as { default: typeof sdk }).default;

// Neither the ES2024 library nor the types of Node declare it.
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/** One warm instance. Not re-entrant, and after it has thrown its memory is not to be trusted. */
export type WasmPolicy = {
  /** The result set for an input given as JSON text. Throws what the guest or its JSON throws. */
  evaluate(inputJson: string): unknown;
  /** Of the optional entrypoint; undefined when the bundle has none. Throws alike. */
  readonly candidates: ((inputJson: string) => unknown) | undefined;
  memoryBytes(): number;
};

/** Memory of one instance in pages of 64 KiB. It never shrinks, so the limit is what one hostile input may cost. */
const memoryPages = { initial: 32, maximum: 1024 };
const pageBytes = 65_536;

type Guest = {
  readonly mem: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly wasmInstance: { readonly exports: { opa_eval(...args: number[]): number } };
  readonly dataAddr: number;
  readonly dataHeapPtr: number;
  readonly entrypoints: Readonly<Record<string, number>>;
  readonly minorVersion: number;
};

export type CompiledPolicy = {
  /** A fresh instance of the same module each time, ready in about a millisecond. */
  instantiate(): WasmPolicy;
  readonly data: unknown;
};

export async function compileWasmPolicy(bundle: PolicyBundle): Promise<CompiledPolicy> {
  const module = await WebAssembly.compile(bundle.wasm);
  const data: unknown = JSON.parse(Buffer.from(bundle.data).toString('utf8'));
  const instantiate = () => {
    const policy = loadPolicySync(module, memoryPages);
    policy.setData(data ?? {});
    return toWasmPolicy(policy);
  };
  return { instantiate, data };
}

/**
 * Calls `opa_eval` (ABI 1.2) directly instead of the SDK's `evaluate`, which encodes into a second buffer and scans
 * the answer byte by byte: a third of the time of a decision.
 */
function toWasmPolicy(guest: Guest): WasmPolicy {
  const entrypoint = guest.entrypoints[policyEntrypoint];
  invariant(entrypoint !== undefined, `the policy has no entrypoint ${policyEntrypoint}`);
  invariant(guest.minorVersion >= 2, 'the policy was compiled for an ABI before 1.2');
  let memory = Buffer.from(guest.mem.buffer);
  const view = () => {
    // Growing, by us or by the guest, detaches the old buffer.
    if (memory.buffer !== guest.mem.buffer) memory = Buffer.from(guest.mem.buffer);
    return memory;
  };
  const run = (at: number, inputJson: string): unknown => {
    const start = guest.dataHeapPtr;
    const end = start + Buffer.byteLength(inputJson);
    const missing = end - guest.mem.buffer.byteLength;
    if (missing > 0) guest.mem.grow(Math.ceil(missing / pageBytes));
    view().write(inputJson, start);
    const answer = guest.wasmInstance.exports.opa_eval(0, at, guest.dataAddr, start, end - start, end, 0);
    return JSON.parse(view().toString('utf8', answer, view().indexOf(0, answer)));
  };
  const candidates = guest.entrypoints[candidatesEntrypoint];
  return {
    memoryBytes: () => guest.mem.buffer.byteLength,
    evaluate: (inputJson) => run(entrypoint, inputJson),
    candidates: candidates === undefined ? undefined : (inputJson) => run(candidates, inputJson),
  };
}
