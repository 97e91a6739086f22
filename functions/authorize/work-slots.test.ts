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

// Threat: one tenant holds all slots, and every other one is refused for as long as it likes.
test('keeps room for others from whoever has as much as one may have', async () => {
  const slots = createWorkSlots(3, 2);
  const held = Promise.withResolvers<Answer>();
  const running = [slots(() => held.promise, 'a'), slots(() => held.promise, 'a')];
  expect(await slots(async () => ok('never'), 'a')).toMatchObject({
    failure: { code: 'service.overloaded' },
  });
  expect(await slots(async () => ok('served'), 'b')).toEqual(ok('served'));
  held.resolve(ok('done'));
  await Promise.all(running);
  expect(await slots(async () => ok('served'), 'a')).toEqual(ok('served'));
});
