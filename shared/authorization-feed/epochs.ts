/**
 * A number per scope (an organization, an API key) that changes whenever the scope may have
 * changed. What was read under another number is old. Numbers are never used twice.
 */
export type Epochs = {
  of(scope: string): number;
  advance(scope: string): void;
  /** Everything may have changed. */
  advanceAll(): void;
};

/** Beyond `scopesMax` remembered scopes all of them advance at once: memory stays bounded, nothing old is believed. */
export function createEpochs(scopesMax = 100_000): Epochs {
  const latest = new Map<string, number>();
  let counter = 0;
  let floor = 0;
  const advanceAll = () => {
    latest.clear();
    floor = ++counter;
  };
  return {
    of: (scope) => latest.get(scope) ?? floor,
    advance: (scope) => {
      if (latest.size >= scopesMax && !latest.has(scope)) advanceAll();
      latest.set(scope, ++counter);
    },
    advanceAll,
  };
}
