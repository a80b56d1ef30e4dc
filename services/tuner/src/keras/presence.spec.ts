import { Presence, type Worker } from './presence';

const MINUTE_MS = 60_000;
const ann: Worker = 'studies/a ann';

describe('presence', () => {
  let nowMs = 0;
  let presence: Presence;
  beforeEach(() => {
    nowMs = 1_000_000;
    presence = new Presence(() => nowMs);
  });
  const living = (): readonly string[] => [...presence.living()];

  test('a worker lives as long as its connection, however long it says nothing', () => {
    presence.opened('p');
    presence.introduced('p', ann);
    nowMs += 10 * 24 * 60 * MINUTE_MS;
    expect(living()).toEqual([ann]);
    expect(presence.isConnected(ann)).toBe(true);
  });

  test('its connection breaks: it is gone', () => {
    presence.opened('p');
    presence.introduced('p', ann);
    nowMs += 20 * MINUTE_MS;
    presence.closed('p');
    expect(living()).toEqual([]);
  });

  test('gRPC lets go of an idle connection: the worker has a day', () => {
    presence.opened('p');
    presence.introduced('p', ann);
    nowMs += 30 * MINUTE_MS;
    presence.closed('p');
    expect([living(), presence.isConnected(ann)]).toEqual([[ann], false]);
    nowMs += 24 * 60 * MINUTE_MS;
    expect(living()).toEqual([]);
  });

  test('a call on the connection is a sign of life, a break soon after it is a death', () => {
    presence.opened('p');
    presence.introduced('p', ann);
    nowMs += 28 * MINUTE_MS;
    presence.called('p');
    nowMs += 28 * MINUTE_MS;
    presence.closed('p');
    expect(living()).toEqual([]);
  });

  test('one of two connections of a worker ends: it lives', () => {
    for (const peer of ['p', 'q']) {
      presence.opened(peer);
      presence.introduced(peer, ann);
    }
    presence.closed('p');
    expect([living(), [...presence.workersOn('q')], [...presence.workersOn('p')]]).toEqual([[ann], [ann], []]);
  });

  test('after a restart a worker that had a trial has an hour to come back', () => {
    presence.expected(ann);
    nowMs += 59 * MINUTE_MS;
    expect(living()).toEqual([ann]);
    nowMs += 2 * MINUTE_MS;
    expect(living()).toEqual([]);
  });

  test('what closes without having opened is nothing', () => {
    presence.closed('nobody');
    presence.called('nobody');
    presence.introduced('nobody', ann);
    expect(living()).toEqual([]);
  });
});
