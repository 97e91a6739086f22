/** Whether one more request may be worked on. To be asked before anything is done for it. */
export type WorkBudget = { admit(): boolean };

export type TurnBudgetOptions = {
  /** Work begun in one turn of the event loop while shedding; a refusal then comes within about twice that. */
  readonly budgetMs?: number;
  /** A turn is long beyond this. */
  readonly longTurnMs?: number;
  /** As long as turns must have been long, without a short one between, before anything is shed. */
  readonly sustainedMs?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
};

/**
 * Sheds load by the one sign that more comes than can be done: turns of the event loop that stay long (CoDel, RFC
 * 8289: a queue that is never empty, not one that is sometimes full). A single long turn is a burst and is served.
 * While shedding, each turn begins work for a millisecond and refuses the rest at once, so that whoever is served
 * is served soon, and whoever is not knows soon.
 */
export function createTurnBudget(options: TurnBudgetOptions = {}): WorkBudget {
  const { budgetMs = 1, longTurnMs = 10, sustainedMs = 250, now = () => performance.now() } = options;
  let turnBegan: number | undefined;
  let turnEnded = Number.NEGATIVE_INFINITY;
  let longSince: number | undefined;
  let sheddingUntil = Number.NEGATIVE_INFINITY;

  function endTurn(): void {
    const began = turnBegan ?? now();
    turnBegan = undefined;
    turnEnded = now();
    if (turnEnded - began < longTurnMs) longSince = undefined;
    else longSince ??= began;
  }

  function beginTurn(at: number): void {
    turnBegan = at;
    // Nothing came for a while: whatever was long before is done.
    if (at - turnEnded >= longTurnMs) longSince = undefined;
    // After all that arrived together has been looked at.
    setImmediate(endTurn);
  }

  return {
    admit: () => {
      const at = now();
      if (turnBegan === undefined) beginTurn(at);
      if (longSince !== undefined && at - longSince >= sustainedMs) sheddingUntil = at + sustainedMs;
      if (at >= sheddingUntil || at - (turnBegan ?? at) < budgetMs) return true;
      // As long as there is something to shed, it goes on.
      sheddingUntil = at + sustainedMs;
      return false;
    },
  };
}
