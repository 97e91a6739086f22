import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../kernel/index.ts';
import type { EvaluationAnswer, EvaluationTask, EvaluationThreadData } from './evaluation-thread.ts';
import { createPolicyEngine } from './policy-engine.ts';

// One bundle that nobody here wrote, in a thread that can be ended. What it is busy with stands in shared memory: the
// thread itself cannot say so while a rule runs.
const { bundle, busyWith }: EvaluationThreadData = workerData;
const engine = createPolicyEngine({ clock: systemClock });
const activated = await engine.activate(bundle);

function answer(message: EvaluationAnswer): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', ({ id, input }: EvaluationTask) => {
  Atomics.store(busyWith, 0, id);
  const decision = engine.evaluate(input);
  Atomics.store(busyWith, 0, 0);
  // What was thrown may be anything, and not everything can be sent.
  answer({ id, decision: 'cause' in decision ? { ...decision, cause: String(decision.cause) } : decision });
});
answer(activated.ok ? { activated: true } : { activated: false, detail: activated.failure.detail });
