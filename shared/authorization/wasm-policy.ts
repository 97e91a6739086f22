import * as sdk from '@open-policy-agent/opa-wasm';
import { invariant } from '../kernel/index.ts';
import { createKeptValues, type GuestMemory, parseAt, type ValueExports } from './kept-values.ts';
import { candidatesEntrypoint, type PolicyBundle, policyEntrypoint } from './policy-bundle.ts';

// The package's types declare as a named export what its ES module has only inside the default one.
const { loadPolicySync } = (sdk as unknown as { default: typeof sdk }).default;

// Neither the ES2024 library nor the types of Node declare it.
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/** Member `bindings` of an input. `key` stands for its text: the same object never comes with another. */
export type SharedBindings = { readonly key: object; readonly json: string };

/** One warm instance. Not re-entrant, and after it has thrown its memory is not to be trusted. */
export type WasmPolicy = {
  /** The result set for an input given as JSON text. Throws what the guest or its JSON throws. */
  evaluate(inputJson: string): unknown;
  /** As `evaluate`, for an input whose bindings others have too: they are parsed once. It has none of its own. */
  evaluateWith(bindings: SharedBindings, inputJson: string): unknown;
  /** Of the optional entrypoint; undefined when the bundle has none. Throws alike. */
  readonly candidates: ((inputJson: string) => unknown) | undefined;
  memoryBytes(): number;
};

/** Memory of one instance in pages of 64 KiB. It never shrinks, so the limit is what one hostile input may cost. */
const memoryPages = { initial: 32, maximum: 1024 };
const pageBytes = 65_536;

type Guest = {
  readonly mem: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly wasmInstance: { readonly exports: GuestExports };
  readonly dataAddr: number;
  readonly dataHeapPtr: number;
  readonly entrypoints: Readonly<Record<string, number>>;
  readonly minorVersion: number;
};

/** ABI 1.2 for a whole question, 1.0 for one put together of values. */
type GuestExports = ValueExports & {
  opa_eval(...args: number[]): number;
  opa_value_add_path(base: number, path: number, value: number): number;
  opa_eval_ctx_new(): number;
  opa_eval_ctx_set_input(context: number, value: number): void;
  opa_eval_ctx_set_data(context: number, value: number): void;
  opa_eval_ctx_set_entrypoint(context: number, entrypoint: number): void;
  opa_eval_ctx_get_result(context: number): number;
  eval(context: number): number;
  opa_json_dump(value: number): number;
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
  const { exports } = guest.wasmInstance;
  const heap: GuestMemory = {
    exports,
    write: (text, address) => {
      const end = address + Buffer.byteLength(text);
      const missing = end - guest.mem.buffer.byteLength;
      if (missing > 0) guest.mem.grow(Math.ceil(missing / pageBytes));
      view().write(text, address);
      return end;
    },
  };
  const read = (answer: number): unknown =>
    JSON.parse(view().toString('utf8', answer, view().indexOf(0, answer)));
  const toBindings = parseAt(heap, '["bindings"]', guest.dataHeapPtr);
  const kept = createKeptValues(heap, { from: toBindings.end });
  const run = (at: number, inputJson: string): unknown => {
    const start = kept.end();
    const end = heap.write(inputJson, start);
    return read(exports.opa_eval(0, at, guest.dataAddr, start, end - start, end, 0));
  };
  const runWith = ({ key, json }: SharedBindings, inputJson: string): unknown => {
    const bindings = kept.addressOf(key, json);
    const input = parseAt(heap, inputJson, kept.end()).value;
    const refused = exports.opa_value_add_path(input, toBindings.value, bindings);
    invariant(refused === 0, 'the input took no bindings');
    const context = exports.opa_eval_ctx_new();
    exports.opa_eval_ctx_set_input(context, input);
    exports.opa_eval_ctx_set_data(context, guest.dataAddr);
    exports.opa_eval_ctx_set_entrypoint(context, entrypoint);
    exports.eval(context);
    return read(exports.opa_json_dump(exports.opa_eval_ctx_get_result(context)));
  };
  const candidates = guest.entrypoints[candidatesEntrypoint];
  return {
    memoryBytes: () => guest.mem.buffer.byteLength,
    evaluate: (inputJson) => run(entrypoint, inputJson),
    evaluateWith: runWith,
    candidates: candidates === undefined ? undefined : (inputJson) => run(candidates, inputJson),
  };
}
