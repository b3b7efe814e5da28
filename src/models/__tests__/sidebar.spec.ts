import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { quoted } from '../modelList';
import { RunPageModel } from '../runPage';
import { SidebarModel } from '../sidebar';
import { clientOf, FakeFeed, FakeTransport, json, wire } from './helpers';

const experiment = (id: string, time: number) => ({
  experiment_id: id,
  name: `exp ${id}`,
  last_update_time: time
});

interface Store {
  experiments: ReturnType<typeof experiment>[];
  newest: string;
}

function serve(store: Store) {
  return (path: string, body: { max_results?: number; experiment_ids?: string[] }) => {
    if (path.includes('experiments/search')) {
      return json(store.experiments.length ? { experiments: store.experiments } : {});
    }
    if (path.includes('registered-models/search')) {
      const aliases = [{ alias: 'champion', version: '2' }];
      return json({ registered_models: [{ name: 'm', aliases }] });
    }
    if (path.includes('model-versions/search')) {
      return json({
        model_versions: [
          { name: 'm', version: '2' },
          { name: 'm', version: '10' }
        ]
      });
    }
    if (body.max_results === 1) {
      return json(
        store.newest ? { ...wire(['x']), experiment_ids: [store.newest] } : {}
      );
    }
    return json(wire((body.experiment_ids ?? []).map(id => `run of ${id}`)));
  };
}

describe('the sidebar', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const settle = () => vi.advanceTimersByTimeAsync(800);

  async function setUp(store: Partial<Store> = {}) {
    const full = {
      experiments: [experiment('1', 5), experiment('2', 9)],
      newest: '1',
      ...store
    };
    const transport = new FakeTransport(serve(full));
    const feed = new FakeFeed();
    const model = new SidebarModel(clientOf(transport), feed);
    model.setActive(true);
    await settle();
    return { store: full, transport, feed, model };
  }

  it('asks for nothing before it is shown', async () => {
    const transport = new FakeTransport(() => json({}));
    new SidebarModel(clientOf(transport), new FakeFeed());
    await settle();
    expect(transport.asked).toHaveLength(0);
  });

  it('begins with the experiment of the newest run', async () => {
    const { model } = await setUp();
    expect(model.experiments.map(e => e.experiment_id)).toEqual(['2', '1']);
    expect(model.experimentId).toBe('1');
    expect(model.runs.table.ids).toEqual(['run of 1']);
  });

  it('follows what happens until somebody chooses', async () => {
    const { model, feed } = await setUp();
    feed.say([{ entity_id: 'a', parent_id: '2', action: 'create' }]);
    await settle();
    expect(model.experimentId).toBe('2');
    model.select('1');
    await settle();
    feed.say([{ entity_id: 'b', parent_id: '2', action: 'create' }]);
    await settle();
    expect(model.experimentId).toBe('1');
  });

  it('keeps what somebody chose while it was still looking for the newest', async () => {
    const { model, store } = await setUp();
    const choose = () => {
      model.select('2');
      return '1';
    };
    Object.defineProperty(store, 'newest', { get: choose });
    await model.refresh();
    expect(model.experimentId).toBe('2');
  });

  it('shows an experiment that was made elsewhere', async () => {
    const { model, feed, store } = await setUp();
    store.experiments = [...store.experiments, experiment('3', 10)];
    feed.say([{ entity_id: 'c', parent_id: '3', action: 'create' }]);
    await settle();
    expect(model.experimentId).toBe('3');
    expect(model.experiments).toHaveLength(3);
  });

  it('goes elsewhere when its experiment is deleted', async () => {
    const { model, feed, store } = await setUp();
    model.select('1');
    await settle();
    Object.assign(store, { experiments: [experiment('2', 9)], newest: '2' });
    feed.say([{ entity: 'experiment', entity_id: '1', action: 'delete' }]);
    await settle();
    expect(model.experimentId).toBe('2');
  });

  it('has nothing to show in an empty store', async () => {
    const { model } = await setUp({ experiments: [], newest: '' });
    expect(model.load.state).toBe('ready');
    expect(model.experimentId).toBe('');
  });

  it('says when the server extension is missing, and recovers', async () => {
    const { model, transport, store } = await setUp();
    transport.answer = () => new Response('Not Found', { status: 404 });
    await model.refresh();
    expect(model.load.state).toBe('missing');
    transport.answer = serve(store);
    await model.refresh();
    expect(model.load.state).toBe('ready');
  });

  it('keeps the filter when another experiment is chosen', async () => {
    const { model, transport } = await setUp();
    await model.setFilter('metrics.acc > 1');
    model.select('2');
    await settle();
    expect(transport.asked.at(-1)?.body).toMatchObject({
      experiment_ids: ['2'],
      filter: 'metrics.acc > 1'
    });
  });

  it('opens a model and shows versions, the newest first, with their aliases', async () => {
    const { model } = await setUp();
    await model.models.toggle('m');
    const versions = model.models.versions('m') ?? [];
    expect(versions.map(v => v.version)).toEqual(['10', '2']);
    expect(model.models.aliases(versions[1])).toEqual(['champion']);
    await model.models.toggle('m');
    expect(model.models.versions('m')).toBeUndefined();
  });

  it('lets go of everything', async () => {
    const { model, feed, transport } = await setUp();
    model.dispose();
    const asked = transport.asked.length;
    feed.say([{ entity_id: 'a', parent_id: '2' }], true);
    await settle();
    expect(transport.asked).toHaveLength(asked);
  });
});

describe('the page of a run', () => {
  const info = { run_id: 'r', run_name: 'n', experiment_id: '1', status: 'FINISHED' };
  const data = {
    metrics: ['a', 'b', 'c', 'd', 'e'].map(key => ({ key, value: 1, timestamp: 0 })),
    tags: [{ key: 'mltrack.model', value: 'model' }]
  };

  it('reads the run, its histories and its folders', async () => {
    const transport = new FakeTransport(path => {
      if (path.includes('runs/get')) {
        return json({ run: { info, data } });
      }
      if (path.includes('get-history')) {
        return json({ metrics: [{ key: 'a', value: 1, timestamp: 0 }] });
      }
      if (path.includes('artifacts/list')) {
        return json({ files: [{ path: 'model', is_dir: true }] });
      }
      return json({ experiment: experiment('1', 0) });
    });
    const model = new RunPageModel('r', clientOf(transport), new FakeFeed());
    model.setActive(true);
    await vi.waitFor(() => expect(model.history('e')).toHaveLength(1));
    expect(model.experiment).toBe('exp 1');
    expect(model.tag('mltrack.model')).toBe('model');
    expect(model.folder('')?.files).toHaveLength(1);
    const asked = transport.asked
      .map(a => a.path)
      .find(p => p.includes('model-versions'));
    expect(decodeURIComponent(asked ?? '')).toContain("run_id='r'");
  });

  it('quotes what goes into a filter', () => {
    expect(quoted('plain')).toBe("'plain'");
    expect(quoted("it's")).toBe(`"it's"`);
    expect(quoted(`it's "x"`)).toBe(`'it\\'s "x"'`);
  });
});
