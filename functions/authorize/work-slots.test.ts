import { expect, test } from 'vitest';
import { ok } from '../../shared/kernel/index.ts';
import type { Answer } from './admit-caller.ts';
import { createWorkSlots } from './work-slots.ts';

test('refuses at once what there is no room for, and has room again when something ends, however it ends', async () => {
  const slots = createWorkSlots(2);
  const first = Promise.withResolvers<Answer>();
  const second = Promise.withResolvers<Answer>();
  const running = [slots(() => first.promise), slots(() => second.promise)];
  expect(await slots(async () => ok('never'))).toMatchObject({ failure: { code: 'service.overloaded' } });
  first.resolve(ok('done'));
  second.reject(new Error('broken'));
  expect(await Promise.allSettled(running)).toMatchObject([
    { value: { value: 'done' } },
    { status: 'rejected' },
  ]);
  expect(await slots(async () => ok('served'))).toEqual(ok('served'));
});
