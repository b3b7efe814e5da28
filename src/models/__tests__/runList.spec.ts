import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TableQuery } from '../../api/types';
import { RunCache } from '../runCache';
import { RunListModel } from '../runList';
import { RunSetModel } from '../runSet';
import { Selection } from '../selection';
import { clientOf, column, FakeFeed, FakeTransport, json, wire } from './helpers';

const ALL = Array.from({ length: 25 }, (_, i) => `r${i}`);

/** A server with 25 runs, or those a test puts in their place. */
function serve(store: { ids: string[] }) {
  return (_: string, body: TableQuery): Response => {
    if (body.filter === 'bad') {
      return json(
        { error_code: 'INVALID_PARAMETER_VALUE', message: 'no such thing' },
        400
      );
    }
    if (body.run_ids) {
      return json(wire(body.run_ids.filter(id => store.ids.includes(id))));
    }
    const from = Number(body.page_token ?? 0);
    const size = body.max_results ?? 10;
    const ids = store.ids.slice(from, from + size);
    const next = from + size < store.ids.length ? String(from + size) : '';
    const acc = column(
      'metric',
      'acc',
      ids.map((_, i) => i)
    );
    return json({ ...wire(ids, [acc], next), total: store.ids.length });
  };
}

describe('a list of runs', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  async function setUp(eager = 0) {
    const store = { ids: ALL };
    const transport = new FakeTransport(serve(store));
    const feed = new FakeFeed();
    const client = clientOf(transport);
    const list = new RunListModel({ client, feed, pageSize: 10, eager });
    list.setActive(true);
    await list.setQuery({ experimentIds: ['1'], filter: '', orderBy: '' });
    return { store, transport, feed, list };
  }

  const settle = () => vi.advanceTimersByTimeAsync(400);

  it('reads page by page', async () => {
    const { list } = await setUp();
    expect([list.table.ids.length, list.table.total]).toEqual([10, 25]);
    await list.more();
    await list.more();
    await list.more();
    expect(list.table.ids).toEqual(ALL);
    expect(list.mainMetric).toBe('acc');
  });

  it('reads ahead when asked to', async () => {
    expect((await setUp(12)).list.table.ids.length).toBe(20);
    expect((await setUp(1000)).list.table.ids.length).toBe(25);
  });

  it('does not ask twice for a page', async () => {
    const { list, transport } = await setUp();
    await Promise.all([list.more(), list.more(), list.more()]);
    expect(transport.asked).toHaveLength(2);
  });

  it('keeps the rows when the server refuses a filter', async () => {
    const { list } = await setUp();
    await list.setQuery({ experimentIds: ['1'], filter: 'bad', orderBy: '' });
    expect(list.filterError).toBe('no such thing');
    expect(list.load.state).toBe('ready');
    expect(list.table.ids).toHaveLength(10);
    await list.setQuery({ experimentIds: ['1'], filter: 'good', orderBy: '' });
    expect(list.filterError).toBe('');
  });

  it('forgets the answer to an old question', async () => {
    const { list } = await setUp();
    const slow = list.setQuery({ experimentIds: ['1'], filter: 'bad', orderBy: '' });
    const fast = list.setQuery({ experimentIds: ['1'], filter: '', orderBy: '' });
    await Promise.all([slow, fast]);
    expect(list.filterError).toBe('');
  });

  it('asks only for the rows that changed', async () => {
    const { list, feed, transport } = await setUp();
    feed.say([{ entity_id: 'r3', parent_id: '1' }]);
    await settle();
    expect(transport.asked.at(-1)?.body.run_ids).toEqual(['r3']);
    expect(list.table.ids).toHaveLength(10);
  });

  it('loses neither a page nor a change when both come at once', async () => {
    const { list, feed, store } = await setUp();
    store.ids = ['new', ...ALL];
    feed.say([{ entity_id: 'new', parent_id: '1', action: 'create' }]);
    await Promise.all([list.more(), settle()]);
    expect(list.table.ids[0]).toBe('new');
    expect(new Set(list.table.ids).size).toBe(list.table.ids.length);
    expect(list.table.ids.length).toBeGreaterThanOrEqual(20);
  });

  it('shows a run that is new, on top, and keeps what was read', async () => {
    const { list, feed, store } = await setUp();
    await list.more();
    store.ids = ['new', ...ALL];
    feed.say([{ entity_id: 'new', parent_id: '1', action: 'create' }]);
    await settle();
    expect(list.table.ids[0]).toBe('new');
    expect(list.table.ids).toHaveLength(21);
    expect(list.table.total).toBe(26);
  });

  it('drops a run that was deleted', async () => {
    const { list, feed, store } = await setUp();
    store.ids = ALL.filter(id => id !== 'r0');
    feed.say([{ entity_id: 'r0', parent_id: '1', action: 'delete' }]);
    await settle();
    expect(list.table.ids).not.toContain('r0');
  });

  it('does not listen to other experiments', async () => {
    const { feed, transport } = await setUp();
    feed.say([{ entity_id: 'x', parent_id: '2' }]);
    await settle();
    expect(transport.asked).toHaveLength(1);
  });

  it('says when nobody is there, and when something failed', async () => {
    const { list, transport } = await setUp();
    transport.answer = () => new Response('<html>', { status: 404 });
    await list.reload();
    expect(list.load.state).toBe('missing');
    transport.answer = () =>
      json({ error_code: 'INTERNAL_ERROR', message: 'broken' }, 500);
    await list.reload();
    expect(list.load).toEqual({ state: 'error', message: 'broken' });
  });

  it('remembers the metric that was chosen', async () => {
    const { list } = await setUp();
    list.setMainMetric('gone');
    expect(list.mainMetric).toBe('acc');
  });
});

describe('views of single runs', () => {
  it('share one request', async () => {
    const transport = new FakeTransport(serve({ ids: ALL }));
    const feed = new FakeFeed();
    const cache = new RunCache(clientOf(transport));
    const models = [['r1'], ['r2', 'r1'], ['gone']].map(
      ids => new RunSetModel(ids, cache, feed)
    );
    models.forEach(model => model.setActive(true));
    await new Promise(resolve => setTimeout(resolve, 60));
    expect(transport.asked).toHaveLength(1);
    expect(models.map(model => model.table.ids)).toEqual([['r1'], ['r2', 'r1'], []]);
    expect(models.map(model => model.load.state)).toEqual(Array(3).fill('ready'));
  });

  it('all hear of a failure', async () => {
    const transport = new FakeTransport(() => new Response('', { status: 404 }));
    const model = new RunSetModel(
      ['a'],
      new RunCache(clientOf(transport)),
      new FakeFeed()
    );
    await model.reload();
    expect(model.load.state).toBe('missing');
  });
});

describe('a selection', () => {
  const order = ['a', 'b', 'c', 'd'];

  it('toggles, extends and clears', () => {
    const selection = new Selection();
    const changed = vi.fn();
    selection.changed.connect(changed);
    selection.toggle('b');
    selection.extend('d', order);
    expect([...selection.ids]).toEqual(['b', 'c', 'd']);
    selection.toggle('c');
    expect([...selection.ids]).toEqual(['b', 'd']);
    selection.only('a');
    selection.extend('b', order);
    expect([...selection.ids]).toEqual(['a', 'b']);
    selection.clear();
    selection.clear();
    expect(selection.ids.size).toBe(0);
    expect(changed).toHaveBeenCalledTimes(6);
  });

  it('extends from nowhere by toggling', () => {
    const selection = new Selection();
    selection.extend('c', order);
    expect([...selection.ids]).toEqual(['c']);
  });
});
