import { describe, expect, test } from 'vitest';
import { fail, ok } from '../../shared/kernel/index.ts';
import type { PolicyBundleFollower } from '../../shared/policy-bundle/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { watchPolicyBundle } from './watch-policy-bundle.ts';

type Checked = Awaited<ReturnType<PolicyBundleFollower['check']>>;
const away: Checked = fail({ code: 'policy_bundle.unreachable', detail: 'away' });

function watch(check: () => Promise<Checked>) {
  const lines: string[] = [];
  const log = (_: unknown, message: string) => void lines.push(message);
  const status = { source: 'here', active: undefined, lastAttempt: undefined, lastFailure: undefined };
  const watching = watchPolicyBundle(
    { follower: { check, status: () => status }, logger: { ...silentLogger, info: log, error: log } },
    { intervalMs: 1, waitMsMax: 20 },
  );
  return { watching, lines };
}

/** Answers each check with the next of these, then with the last for ever. */
function inTurn(...answers: readonly (Checked | Error)[]) {
  let asked = 0;
  const done = Promise.withResolvers<void>();
  const check = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)] ?? away;
    if (asked > answers.length + 1) done.resolve();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { check, done: done.promise };
}

describe('the watch over a bundle', () => {
  test('has looked once before it says so, and goes on looking', async () => {
    const { check, done } = inTurn(ok('activated'), ok('unchanged'), ok('activated'), ok('unchanged'));
    const { watching, lines } = watch(check);
    await watching.firstLook;
    expect(lines).toEqual(['Policy bundle activated']);
    await done;
    await watching.close();
    expect(lines).toEqual(['Policy bundle activated', 'Policy bundle activated']);
  });

  test('tells of one failure once, and of it again when it has come back', async () => {
    const { check, done } = inTurn(away, away, ok('activated'), away, away);
    const { watching, lines } = watch(check);
    await done;
    await watching.close();
    const refused = 'Policy bundle refused; the last good one stays';
    expect(lines).toEqual([refused, 'Policy bundle activated', refused]);
  });

  test('survives a look that throws', async () => {
    const { check, done } = inTurn(new Error('a bug'), ok('activated'), ok('unchanged'));
    const { watching, lines } = watch(check);
    await done;
    await watching.close();
    expect(lines).toEqual(['Policy bundle could not be looked at', 'Policy bundle activated']);
  });

  // The function would not listen, be killed for not being alive, and try the same again.
  test('waits for no source that hangs, neither at the start nor at the end', async () => {
    const { watching } = watch(() => new Promise(() => undefined));
    await watching.firstLook;
    await watching.close();
  });
});
