import { startFunctionProcess } from '../support/function-process.ts';

const tickSeconds = 30;

/** The audit-export function beside the load, with the tick that makes segments of what is journaled. */
export async function startSealer(options: {
  readonly databaseUrl: string;
  readonly objectDirectory: string;
}): Promise<AsyncDisposable> {
  const { base, stop } = await startFunctionProcess('audit-export', {
    DATABASE_URL: options.databaseUrl,
    OBJECT_STORE_URL: `file://${options.objectDirectory}`,
  });
  let ticks = 0;
  const tick = async () => {
    const response = await fetch(base, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({
        specversion: '1.0',
        id: `tick-${ticks++}`,
        source: 'uos/bench',
        type: 'dev.knative.sources.ping',
        time: new Date().toISOString(),
        datacontenttype: 'application/json',
        data: {},
      }),
    });
    if (!response.ok) throw new Error(`The tick was answered with ${response.status}`);
  };
  await tick();
  const timer = setInterval(() => void tick().catch(() => undefined), tickSeconds * 1000);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await stop();
    },
  };
}
