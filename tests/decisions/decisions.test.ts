import { describe, expect, test } from 'vitest';
import { decide, openEngine, readCaseFiles } from './decision-case.ts';

const engine = await openEngine();

for (const { about, cases } of readCaseFiles()) {
  describe(about, () => {
    test.each(cases)('$name', async (given) => {
      const { decision, code, rule, binding, obligations, cause } = await decide(engine, given);
      const types = obligations?.map(({ type }) => type);
      expect({ decision, code, rule, binding, obligations: types, cause }).toEqual({
        ...given.expect,
        cause: undefined,
      });
    });
  });
}
