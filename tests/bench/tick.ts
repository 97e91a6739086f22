let ticks = 0;

/** A tick of the schedule, as a PingSource sends it. Resolves when the function has done what was due. */
export async function postTick(base: string): Promise<void> {
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
}
