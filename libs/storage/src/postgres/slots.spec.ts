import { rejection } from '../testing';
import { Slots } from './slots';

test('lets in as many as there are slots, and the others in their order', async () => {
  const slots = new Slots({ slots: 2, maxWaiting: 9, timeoutMs: 60_000, what: 'a seat' });
  const inside: number[] = [];
  const enter = async (i: number) => {
    const leave = await slots.take();
    inside.push(i);
    return leave;
  };
  const [a, b] = await Promise.all([enter(0), enter(1)]);
  const rest = [enter(2), enter(3)];
  await Promise.resolve();
  expect(inside).toEqual([0, 1]);
  b();
  const c = await rest[0];
  expect(inside).toEqual([0, 1, 2]);
  a();
  c?.();
  (await rest[1])?.();
  expect(inside).toEqual([0, 1, 2, 3]);
  (await enter(4))();
});

test('says for what it waited, how long, and who else waits', async () => {
  const slots = new Slots({ slots: 1, maxWaiting: 9, timeoutMs: 5, what: 'a seat' });
  const leave = await slots.take();
  expect(await rejection(slots.take())).toMatchObject({ failure: 'TIMED_OUT', message: expect.stringMatching(/5 ms for a seat.*nothing was done/) });
  leave();
  (await slots.take())(); // The one who gave up takes nobody's place.
});

test('refuses who would make the queue longer than its bound', async () => {
  const slots = new Slots({ slots: 1, maxWaiting: 1, timeoutMs: 60_000, what: 'a seat' });
  const leave = await slots.take();
  const waiting = slots.take();
  expect(await rejection(slots.take())).toMatchObject({ failure: 'OVERLOADED', message: expect.stringContaining('1 wait for a seat') });
  leave();
  (await waiting)();
});
