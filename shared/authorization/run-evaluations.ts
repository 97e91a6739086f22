import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../kernel/index.ts';
import type { EvaluationAnswer, EvaluationTask, EvaluationThreadData } from './evaluation-thread.ts';
import { createPolicyEngine, type PolicyEngine } from './policy-engine.ts';

/**
 * The work of a thread that `startEvaluationThread` began: one bundle that nobody here wrote. What it is busy with
 * stands in shared memory, since the thread itself cannot say so while a rule runs.
 */
export async function runEvaluations(): Promise<void> {
  const { bundle, busyWith }: EvaluationThreadData = workerData;
  const engine = createPolicyEngine({ clock: systemClock });
  const activated = await engine.activate(bundle);
  const tell = (message: EvaluationAnswer) => parentPort?.postMessage(message);
  parentPort?.on('message', (task: EvaluationTask) => {
    Atomics.store(busyWith, 0, task.id);
    const answer = work(engine, task);
    Atomics.store(busyWith, 0, 0);
    tell(answer);
  });
  tell(activated.ok ? { activated: true } : { activated: false, detail: activated.failure.detail });
}

function work(engine: PolicyEngine, { id, ask, input }: EvaluationTask): EvaluationAnswer {
  try {
    if (ask === 'candidates') return { id, answer: engine.candidates(input) };
    const decision = engine.evaluate(input);
    // What was thrown may be anything, and not everything can be sent.
    return { id, answer: 'cause' in decision ? { ...decision, cause: String(decision.cause) } : decision };
  } catch (error) {
    return { id, thrown: String(error) };
  }
}
