import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createTurnBudget } from './turn-budget.ts';

function setUp() {
  const state = { ms: 0 };
  const budget = createTurnBudget({ budgetMs: 2, now: () => state.ms });
  /** One turn in which as many arrive together, each costing a millisecond; how many were admitted. */
  const turn = async (arrivals: number) => {
    let admitted = 0;
    for (let n = 0; n < arrivals; n++) {
      if (!budget.admit()) continue;
      admitted++;
      state.ms += 1;
    }
    await nextTurn();
    return admitted;
  };
  return { state, turn };
}

describe('a budget of work', () => {
  test('admits a burst, however large, that stands alone', async () => {
    const { state, turn } = setUp();
    expect(await turn(80)).toBe(80);
    state.ms += 10;
    expect(await turn(80)).toBe(80);
    state.ms += 1_000;
    expect(await turn(80)).toBe(80);
  });

  test('sheds what a turn cannot do once turns have stayed long, and admits all again after they are short', async () => {
    const { state, turn } = setUp();
    for (let n = 0; n < 10; n++) await turn(30);
    expect(await turn(30)).toBe(2);
    expect(await turn(30)).toBe(2);
    state.ms += 300;
    expect(await turn(1)).toBe(1);
    expect(await turn(30)).toBe(30);
  });

  test('goes on shedding for as long as there is something to shed', async () => {
    const { turn } = setUp();
    for (let n = 0; n < 10; n++) await turn(30);
    const admitted: number[] = [];
    for (let n = 0; n < 200; n++) admitted.push(await turn(30));
    expect(new Set(admitted)).toEqual(new Set([2]));
  });
});
