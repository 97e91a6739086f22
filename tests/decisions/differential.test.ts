import { test } from 'vitest';
import { compareRandomly } from './compare-randomly.ts';

// A hundred thousand are asked in tests/integration/subject-facts-differential.test.ts.
test(
  'cache on, cache off and the model agree on random questions while everything changes',
  {
    timeout: 60_000,
  },
  () => compareRandomly({ cases: 10_000, seed: 20_270_115 }),
);
