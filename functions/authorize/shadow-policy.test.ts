import { describe, expect, test } from 'vitest';
import type { Decision, PolicyInput } from '../../shared/authorization/index.ts';
import { type LogFields, silentLogger } from '../../shared/telemetry/index.ts';
import { createShadowPolicy, type ShadowPolicyOptions } from './shadow-policy.ts';

const input = (id = 'usr_ann'): PolicyInput => ({
  now: 1,
  organization: { id: 'org_1', status: 'active' },
  subject: { type: 'user', id, known: true, status: 'active', teams: [] },
  bindings: [],
  action: { name: 'read' },
  resource: { type: 'document', id: '1', properties: {} },
  context: {},
});
const permit: Decision = { decision: true, code: 'permitted', rule: 'granted', revision: 'live-1' };
const refuse: Decision = { decision: false, code: 'forbidden', rule: 'denied', revision: 'shadow-1' };
const error: Decision = { decision: false, code: 'error', revision: 'shadow-1', cause: new Error('slow') };
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

function setUp(
  evaluate: (input: PolicyInput) => Promise<Decision>,
  options: ShadowPolicyOptions = {},
  bytes = Uint8Array.of(0, 0, 0, 0),
) {
  const state = { now: 1_000_000, revision: 'shadow-1' as string | undefined };
  const lines: LogFields[] = [];
  const shadow = createShadowPolicy(
    {
      engine: { evaluate, status: () => ({ revision: state.revision, activatedAt: undefined }) },
      clock: { now: () => new Date(state.now) },
      random: { bytes: () => bytes },
      logger: { ...silentLogger, warn: (fields) => void lines.push(fields) },
    },
    options,
  );
  return { shadow, state, lines };
}

describe('a shadow policy', () => {
  test('is not asked before the turn that answers has ended', async () => {
    let asked = 0;
    const { shadow } = setUp(async () => {
      asked++;
      return refuse;
    });
    shadow.offer(input(), permit);
    await Promise.resolve();
    expect(asked).toBe(0);
    await turn();
    expect(asked).toBe(1);
  });

  test('has its disagreements counted by rule and by whom they are about', async () => {
    const other: Decision = { ...permit, rule: 'other', revision: 'shadow-1' };
    const { shadow } = setUp(async ({ subject }) => (subject.id === 'usr_cid' ? other : refuse));
    for (const id of ['usr_ann', 'usr_ann', 'usr_ben', 'usr_cid']) shadow.offer(input(id), permit);
    await turn();
    const live = { decision: true, code: 'permitted', rule: 'granted' };
    expect(shadow.report().comparison).toMatchObject({
      liveRevision: 'live-1',
      shadowRevision: 'shadow-1',
      compared: 4,
      disagreed: 3,
      otherReason: 1,
      byRule: [{ live, shadow: { decision: false, code: 'forbidden', rule: 'denied' }, count: 3 }],
      bySubject: [
        { organization: 'org_1', type: 'user', id: 'usr_ann', count: 2 },
        { organization: 'org_1', type: 'user', id: 'usr_ben', count: 1 },
      ],
    });
  });

  test('is counted anew when either policy is another', async () => {
    let revision = 'shadow-1';
    const { shadow } = setUp(async () => ({ ...refuse, revision }));
    shadow.offer(input(), permit);
    await turn();
    revision = 'shadow-2';
    shadow.offer(input(), permit);
    await turn();
    expect(shadow.report().comparison).toMatchObject({ shadowRevision: 'shadow-2', disagreed: 1 });
    shadow.offer(input(), { ...permit, revision: 'live-2' });
    await turn();
    expect(shadow.report().comparison).toMatchObject({ liveRevision: 'live-2', disagreed: 1 });
  });

  test('that is behind has decisions dropped, and counted, beyond its queue', async () => {
    const { promise, resolve } = Promise.withResolvers<Decision>();
    const { shadow } = setUp(() => promise, { waitingMax: 10 });
    shadow.offer(input(), permit);
    await turn();
    for (let at = 0; at < 25; at++) shadow.offer(input(), permit);
    expect(shadow.report()).toMatchObject({ dropped: 15, comparison: undefined });
    resolve(refuse);
  });

  test('that fails three times in a row rests before it is asked again, and what waits is dropped', async () => {
    let asked = 0;
    const { shadow, state, lines } = setUp(
      async () => {
        asked++;
        return error;
      },
      { restMs: 1_000 },
    );
    const offer = async (times: number) => {
      for (let at = 0; at < times; at++) shadow.offer(input(), permit);
      await turn();
    };
    await offer(5);
    await offer(1);
    expect([asked, lines.length]).toEqual([3, 1]);
    expect(shadow.report()).toMatchObject({ failed: 3, dropped: 3, comparison: undefined });
    state.now += 1_001;
    await offer(1);
    expect(asked).toBe(4);
  });

  test('that fails now and then is asked on, and its errors are no disagreements', async () => {
    let asked = 0;
    const { shadow } = setUp(async () => (asked++ % 3 === 2 ? refuse : error));
    for (let at = 0; at < 9; at++) shadow.offer(input(), permit);
    await turn();
    expect(shadow.report()).toMatchObject({
      failed: 6,
      dropped: 0,
      comparison: { compared: 3, disagreed: 3 },
    });
  });

  test('that throws is asked the next time', async () => {
    let asked = 0;
    const { shadow } = setUp(async () => {
      if (asked++ === 0) throw new Error('broken');
      return refuse;
    });
    for (let at = 0; at < 2; at++) {
      shadow.offer(input(), permit);
      await turn();
    }
    expect(shadow.report().comparison?.compared).toBe(1);
  });

  test('is asked about the sampled share alone', async () => {
    const quarter = Uint8Array.of(0x40, 0, 0, 0);
    for (const [sampleRate, compared] of [
      [0.25, undefined],
      [0.26, 1],
    ] as const) {
      const { shadow } = setUp(async () => refuse, { sampleRate }, quarter);
      shadow.offer(input(), permit);
      await turn();
      expect(shadow.report().comparison?.compared).toBe(compared);
    }
  });

  test('is not asked while it has no bundle, or when nothing was decided', async () => {
    const { shadow, state } = setUp(async () => refuse);
    shadow.offer(input(), { decision: false, code: 'error' });
    state.revision = undefined;
    shadow.offer(input(), permit);
    await turn();
    expect(shadow.report().comparison).toBeUndefined();
  });

  test('is told of in the log once an interval, and only when there is something new', async () => {
    const { shadow, state, lines } = setUp(async () => refuse, { logIntervalMs: 60_000 });
    const ask = async () => {
      shadow.offer(input(), permit);
      await turn();
    };
    await ask();
    await ask();
    expect(lines).toEqual([expect.objectContaining({ disagreed: 1 })]);
    state.now += 60_000;
    await ask();
    expect(lines.at(-1)).toMatchObject({ disagreed: 3, byRule: [{ count: 3 }] });
    expect(JSON.stringify(lines)).not.toContain('usr_ann');
  });

  // Whoever asks chooses the subjects: a tally without a bound would be memory for the asking.
  test('tells of the first thousand subjects one by one, and of the others by number', async () => {
    const { shadow } = setUp(async () => refuse, { waitingMax: 2_000 });
    for (let at = 0; at < 1_200; at++) shadow.offer(input(`usr_${at}`), permit);
    for (let at = 0; at < 40; at++) await turn();
    const { comparison } = shadow.report();
    expect([comparison?.bySubject.length, comparison?.notListed, comparison?.disagreed]).toEqual([
      1_000, 200, 1_200,
    ]);
  });
});
