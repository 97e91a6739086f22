import { afterEach, describe, expect, it } from 'vitest';
import { secondsAfter } from '../kernel/index.ts';
import {
  type BoundedPolicyEngine,
  type BoundedPolicyEngineOptions,
  createBoundedPolicyEngine,
} from './bounded-policy-engine.ts';
import type { Decision } from './decision.ts';
import { NotEvaluatedError } from './evaluation-queue.ts';
import type { EvaluationTask, EvaluationThreadEvents } from './evaluation-thread.ts';
import type { PolicyBundle } from './policy-bundle.ts';
import type { PolicyInput } from './policy-input.ts';

const start = new Date('2026-01-01T00:00:00Z');
const bundle = { manifest: { revision: 'r1' }, data: Buffer.from('{}'), wasm: Buffer.alloc(0) };
const permit: Decision = { decision: true, code: 'permitted', revision: 'r1' };

/** Threads that answer when the test says so. */
function createThreads() {
  const asked: EvaluationTask[] = [];
  let isStarting = true;
  /** Of the thread that was asked last. */
  let last: EvaluationThreadEvents | undefined;
  const answer = (count: number) => {
    for (const { id } of asked.splice(0, count)) last?.onAnswer(id, { id, answer: permit });
  };
  return {
    asked,
    answer,
    failToStart: (fails: boolean) => {
      isStarting = !fails;
    },
    /** As one that is out of memory. */
    end: () => last?.onEnd(),
    startThread: async (_bundle: PolicyBundle, events: EvaluationThreadEvents) => {
      if (!isStarting) throw new Error('no more threads');
      return {
        ask: (task: EvaluationTask) => {
          last = events;
          asked.push(task);
        },
        busyWith: () => 0,
        end: async () => undefined,
      };
    },
  };
}

let engine: BoundedPolicyEngine;
let threads: ReturnType<typeof createThreads>;
let now = start;

async function open(options: BoundedPolicyEngineOptions = {}) {
  threads = createThreads();
  engine = createBoundedPolicyEngine(
    { clock: { now: () => now }, startThread: threads.startThread },
    options,
  );
  await engine.activate(bundle as unknown as PolicyBundle);
}
afterEach(async () => {
  while (threads.asked.length > 0) threads.answer(1);
  await engine.close();
});

const ask = (organization: string) =>
  engine.evaluate({ organization: { id: organization } } as unknown as PolicyInput);
const askedOf = () => threads.asked.map(({ input }) => Reflect.get(Reflect.get(input, 'organization'), 'id'));

const refused = { decision: false, code: 'error', cause: expect.any(NotEvaluatedError) };

describe('questions to a policy that we did not write', () => {
  it('are asked of each organization in turn, however many one of them has', async () => {
    await open();
    const many = Array.from({ length: 50 }, () => ask('org_many'));
    const one = ask('org_one');
    threads.answer(4);
    expect(askedOf()).toContain('org_one');
    threads.answer(4);
    expect(await one).toEqual(permit);
    while (threads.asked.length > 0) threads.answer(1);
    expect((await Promise.all(many)).every(({ decision }) => decision)).toBe(true);
  });

  // Threat: a denial that no policy gave is answered, and recorded as one.
  it('that find no room are no decisions, and leave room for other organizations', async () => {
    await open({ waitingMax: 8 });
    const many = Array.from({ length: 7 }, () => ask('org_many'));
    const last = await many.at(-1);
    expect(last).toMatchObject(refused);
    expect(last).not.toHaveProperty('revision');
    const other = ask('org_other');
    while (threads.asked.length > 0) threads.answer(1);
    expect(await other).toEqual(permit);
  });

  it('that waited too long are no decisions, and those behind them are asked', async () => {
    await open({ waitMs: 2_000, deadlineMs: 4 });
    const asked = Array.from({ length: 4 }, () => ask('org_1'));
    const late = ask('org_1');
    now = secondsAfter(now, 3);
    const fresh = ask('org_1');
    const refusal = await late;
    expect(refusal).toMatchObject(refused);
    expect(refusal).not.toHaveProperty('revision');
    while (threads.asked.length > 0) threads.answer(1);
    expect(await Promise.all([...asked, fresh])).toEqual(Array(5).fill(permit));
  });

  // Threat: five failed starts, and the instance refuses everything for good while it says that it is ready.
  it('are no decisions while the policy cannot be run, which its status tells, and are answered when it can be again', async () => {
    await open();
    threads.failToStart(true);
    const asked = ask('org_1');
    threads.end();
    threads.asked.splice(0);
    // The spare was started before, and is taken first.
    await untilAsked();
    threads.asked.splice(0);
    threads.end();
    expect(await asked).toMatchObject(refused);
    expect(engine.status().revision).toBeUndefined();
    expect(await ask('org_1')).toMatchObject(refused);
    threads.failToStart(false);
    const deadline = AbortSignal.timeout(20_000);
    while (engine.status().revision === undefined) {
      deadline.throwIfAborted();
      await nextTurn();
    }
    const again = ask('org_1');
    threads.answer(1);
    expect(await again).toEqual(permit);
  });
});

async function untilAsked(): Promise<void> {
  while (threads.asked.length === 0) await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
