import { parentPort } from 'node:worker_threads';
import { createPolicyEngine } from '../../shared/authorization/index.ts';
import { systemClock } from '../../shared/kernel/index.ts';
import { type ShadowAnswer, type ShadowRequest, toVerdict } from './shadow-message.ts';

// The thread of the shadow policy: a rule that never ends stops this one alone, and the thread can be ended.
const engine = createPolicyEngine({ clock: systemClock });

async function answer(request: ShadowRequest): Promise<ShadowAnswer> {
  if (request.ask === 'evaluate') {
    return { verdicts: request.inputs.map((json) => toVerdict(engine.evaluate(JSON.parse(json)))) };
  }
  const activated = await engine.activate(request.bundle);
  return activated.ok ? { activated: true } : { activated: false, detail: activated.failure.detail };
}

parentPort?.on('message', (request: ShadowRequest) => {
  void answer(request).then((given) => parentPort?.postMessage(given));
});
