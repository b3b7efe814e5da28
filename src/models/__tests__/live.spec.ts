import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChangeFeed, CHANGES_SCHEMA, Refresher, type Batch } from '../live';
import { FakeFeed } from './helpers';

const event = (last: number, seqs: number[]) => ({
  schema_id: CHANGES_SCHEMA,
  last,
  changes: seqs.map(seq => ({
    seq,
    entity: 'run',
    entity_id: `r${seq}`,
    action: 'update'
  }))
});

describe('the feed', () => {
  it('passes on changes and nothing of others', () => {
    const feed = new ChangeFeed();
    const heard: Batch[] = [];
    const stop = feed.listen(batch => heard.push(batch));
    feed.receive({ schema_id: 'https://other', last: 1 });
    feed.receive(event(2, [1, 2]));
    stop();
    feed.receive(event(3, [3]));
    expect(heard).toHaveLength(1);
    expect(heard[0].changes.map(c => c.seq)).toEqual([1, 2]);
    expect(heard[0].gap).toBe(false);
  });

  it('notices what it missed', () => {
    const feed = new ChangeFeed();
    const gaps: boolean[] = [];
    feed.listen(batch => gaps.push(batch.gap));
    feed.receive(event(5, [5]));
    feed.receive(event(6, [6]));
    feed.receive(event(9, [9]));
    feed.receive(event(20, [10, 11]));
    expect(gaps).toEqual([false, false, true, true]);
  });

  it('follows a stream', async () => {
    const feed = new ChangeFeed();
    const heard = vi.fn();
    feed.listen(heard);
    async function* stream() {
      yield event(1, [1]);
      yield event(2, [2]);
    }
    await feed.follow(stream());
    expect(heard).toHaveBeenCalledTimes(2);
  });
});

describe('the refresher', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setUp(refresh = vi.fn((_: Batch) => Promise.resolve())) {
    const feed = new FakeFeed();
    const refresher = new Refresher({
      feed,
      wants: change => change.entity_id !== 'other',
      refresh
    });
    return { feed, refresher, refresh };
  }

  it('makes one refresh of a burst, and at most four a second', async () => {
    const { feed, refresher, refresh } = setUp();
    refresher.setActive(true);
    for (let i = 0; i < 100; i++) {
      feed.say([{ entity_id: `r${i}` }]);
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(500);
    expect(refresh.mock.calls.length).toBeLessThanOrEqual(5);
    const all = refresh.mock.calls.flatMap(([batch]) => batch.changes);
    expect(all).toHaveLength(100);
  });

  it('sleeps while nobody looks, and makes up for it', async () => {
    const { feed, refresher, refresh } = setUp();
    feed.say([{ entity_id: 'a' }]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(refresh).not.toHaveBeenCalled();
    refresher.setActive(true);
    await vi.advanceTimersByTimeAsync(10);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('passes over what does not matter', async () => {
    const { feed, refresher, refresh } = setUp();
    refresher.setActive(true);
    feed.say([{ entity_id: 'other' }]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(refresh).not.toHaveBeenCalled();
    feed.say([], true);
    await vi.advanceTimersByTimeAsync(10);
    expect(refresh).toHaveBeenCalledWith({ changes: [], gap: true });
  });

  it('never asks twice at a time', async () => {
    let finish = (): void => undefined;
    const slow = vi.fn((_: Batch) => new Promise<void>(resolve => (finish = resolve)));
    const { feed, refresher, refresh } = setUp(slow);
    refresher.setActive(true);
    feed.say([{ entity_id: 'a' }]);
    await vi.advanceTimersByTimeAsync(5000);
    feed.say([{ entity_id: 'b' }]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(refresh).toHaveBeenCalledTimes(1);
    finish();
    await vi.advanceTimersByTimeAsync(300);
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  it('stops when it is let go', async () => {
    const { feed, refresher, refresh } = setUp();
    refresher.setActive(true);
    feed.say([{ entity_id: 'a' }]);
    refresher.dispose();
    feed.say([{ entity_id: 'b' }]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(refresh).not.toHaveBeenCalled();
  });
});
