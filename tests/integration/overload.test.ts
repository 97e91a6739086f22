import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createFunctionServer,
  createTurnBudget,
  type Served,
  sendJson,
  serve,
} from '../../shared/http/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { silentLogger as logger } from '../../shared/telemetry/index.ts';

const workMs = 3;
let served: Served;
let worked = 0;
/** A turn is as long as the work in it: not as the machine makes it, nor as this test's own half of the loop does. */
let workedMs = 0;

/** A function whose every answer holds the event loop for some milliseconds, as a dear decision does. */
beforeAll(async () => {
  const server = createFunctionServer(
    { clock, random, logger },
    {
      name: 'overload-test',
      budget: createTurnBudget({ now: () => workedMs }),
      firstListener: (_req, res, { requestId }) => {
        worked++;
        workedMs += workMs;
        for (const until = performance.now() + workMs; performance.now() < until; );
        sendJson(res, '{}', requestId);
        return true;
      },
      listener: () => {},
    },
  );
  served = await serve(logger, server, { port: 0, host: '127.0.0.1' });
});
afterAll(() => served.close());

const ask = (path = '/') => fetch(`http://127.0.0.1:${served.port}${path}`);

/** As many callers as keep the function busy for long, each asking again as soon as it is answered. */
async function press(callers: number, timesEach: number): Promise<Response[]> {
  const caller = async () => {
    const answers: Response[] = [];
    for (let n = 0; n < timesEach; n++) {
      const answer = await ask();
      await answer.arrayBuffer();
      answers.push(answer);
    }
    return answers;
  };
  return (await Promise.all(Array.from({ length: callers }, caller))).flat();
}

describe('a function with more to do than it can', () => {
  test('refuses with 503 and Retry-After without working, goes on serving others, and is itself again after', async () => {
    const answers = await press(40, 20);
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ headers }) => headers.get('retry-after') === '1')).toBe(true);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(worked);
    expect(worked).toBeGreaterThan(0);
    const calm = await press(1, 20);
    expect(calm.at(-1)?.status).toBe(200);
  });

  test('says how it is whatever there is to do', async () => {
    const pressed = press(40, 10);
    expect((await ask('/health/live')).status).toBe(200);
    await pressed;
  });
});
