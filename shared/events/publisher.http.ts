import { setTimeout as pause } from 'node:timers/promises';
import { withDeadline } from '../kernel/index.ts';
import { createSerialPublisher, type EventPublisher, type OutgoingMessage } from './publisher.ts';

const attemptsMax = 4;
const backoffMs = 100;
const timeoutMs = 10_000;
const keysAtOnceMax = 8;

/**
 * Posts each message to `<base>/<topic>` in structured mode (CloudEvents HTTP binding, section 3.2): the local
 * platform's router, or a KafkaSink per topic. 2xx means accepted.
 */
export function createHttpPublisher(options: { baseUrl: string }): EventPublisher {
  const base = options.baseUrl.replace(/\/+$/, '');
  return createSerialPublisher({
    send: async (messages) => {
      const lanes = [...Map.groupBy(messages, ({ topic, key }) => `${topic}\n${key}`).values()];
      const workers = Array.from({ length: Math.min(keysAtOnceMax, lanes.length) }, async () => {
        for (let lane = lanes.shift(); lane !== undefined; lane = lanes.shift()) await sendLane(base, lane);
      });
      const faults = (await Promise.allSettled(workers)).filter((outcome) => outcome.status === 'rejected');
      if (faults.length > 0) throw faults[0]?.reason;
    },
    close: async () => {},
  });
}

/** One after the other: the next of a key leaves only when the one before it was accepted. */
async function sendLane(base: string, messages: readonly OutgoingMessage[]): Promise<void> {
  for (const message of messages)
    await sendPatiently(`${base}/${encodeURIComponent(message.topic)}`, message);
}

async function sendPatiently(url: string, message: OutgoingMessage): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await post(url, message).catch((cause: unknown) => ({ cause }));
    if (outcome === 'accepted') return;
    const fault = new Error(`POST ${url} was not accepted`, outcome);
    if (attempt === attemptsMax || ('isFinal' in outcome && outcome.isFinal)) throw fault;
    await pause(backoffMs * 2 ** (attempt - 1));
  }
}

/** Retried are the codes that Knative retries: 404, 408, 409, 429 and 5xx. */
const transientStatuses = new Set([404, 408, 409, 429]);

async function post(url: string, message: OutgoingMessage) {
  return withDeadline({ what: `POST ${url}`, timeoutMs }, async (signal) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': message.contentType },
      body: typeof message.value === 'string' ? message.value : new Uint8Array(message.value),
      signal,
      redirect: 'error',
    });
    await response.body?.cancel();
    if (response.ok) return 'accepted';
    const isFinal = response.status < 500 && !transientStatuses.has(response.status);
    return { cause: new Error(`status ${response.status}`), isFinal };
  });
}
