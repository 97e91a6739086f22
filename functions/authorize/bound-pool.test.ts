import { describe, expect, it } from 'vitest';
import { NotEvaluatedError } from '../../shared/authorization/index.ts';
import type { DatabasePool } from '../../shared/db/index.ts';
import { boundPool, isOverload, OverloadError } from './bound-pool.ts';

function setUp(waitingMax: number) {
  const gate = Promise.withResolvers<never>();
  const slow: DatabasePool = {
    connect: () => gate.promise,
    query: () => gate.promise,
    close: async () => undefined,
  };
  return { pool: boundPool(slow, { waitingMax }), gate };
}

describe('a bounded pool', () => {
  it('refuses at once what is beyond the bound, and takes more when others are through', async () => {
    const { pool, gate } = setUp(2);
    const held = [pool.connect(), pool.query({ text: 'select 1' })];
    await expect(pool.connect()).rejects.toThrow(OverloadError);
    await expect(pool.query({ text: 'select 1' })).rejects.toThrow(OverloadError);
    gate.reject(new Error('down'));
    await Promise.allSettled(held);
    await expect(pool.connect()).rejects.toThrow('down');
  });
});

describe('an overload', () => {
  it('is recognised however often it was wrapped, and nothing else is', () => {
    const wrapped = new Error('outer', { cause: new Error('inner', { cause: new OverloadError('busy') }) });
    expect([
      isOverload(wrapped),
      isOverload(new NotEvaluatedError('a policy’s thread has no room')),
      isOverload(new Error('busy')),
      isOverload('busy'),
      isOverload(undefined),
    ]).toEqual([true, true, false, false, false]);
  });
});
