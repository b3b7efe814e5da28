/** The comparison as an anywidget: the same plot, with its state shared with the kernel. */
import type { WireTable } from '../api/types';
import { ParallelCoordinates } from '../components/parcoords/parcoords';
import { parseSpec, specToJson } from '../models/parcoords/spec';
import { ENGLISH } from '../models/strings';
import { fromWire } from '../models/table';

/** What anywidget gives: the traits of the Python side. */
interface IWidgetModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: () => void): void;
  off(event: string, callback: () => void): void;
}

/** A drag changes many times; the kernel hears of it when it pauses. */
const QUIET_MS = 300;

function render({ model, el }: { model: IWidgetModel; el: HTMLElement }): () => void {
  const pending = new Map<string, unknown>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    for (const [name, value] of pending) {
      model.set(name, value);
    }
    pending.clear();
    model.save_changes();
  };
  const tell = (name: string, value: unknown): void => {
    if (JSON.stringify(model.get(name)) !== JSON.stringify(value)) {
      pending.set(name, value);
      clearTimeout(timer);
      timer = setTimeout(flush, QUIET_MS);
    }
  };
  const ids = (): string[] => {
    const value = pending.get('selected') ?? model.get('selected');
    return Array.isArray(value) ? value.map(String) : [];
  };
  const pick = (id: string): void => {
    const now = ids();
    const next = now.includes(id) ? now.filter(other => other !== id) : [...now, id];
    plot.setPicked(next);
    tell('selected', next);
  };
  const plot = new ParallelCoordinates(
    { spec: spec => tell('spec', specToJson(spec)), picked: pick },
    ENGLISH
  );
  const table = (): void =>
    plot.setTable(fromWire((model.get('table') ?? {}) as WireTable));
  const spec = (): void => plot.setSpec(parseSpec(model.get('spec')));
  const selected = (): void => plot.setPicked(ids());
  const traits: [string, () => void][] = [
    ['change:table', table],
    ['change:spec', spec],
    ['change:selected', selected]
  ];
  plot.node.classList.add('mltrack-Widget');
  el.append(plot.node);
  for (const [event, update] of traits) {
    update();
    model.on(event, update);
  }
  return () => {
    traits.forEach(([event, update]) => model.off(event, update));
    clearTimeout(timer);
    if (pending.size) {
      flush();
    }
    plot.dispose();
  };
}

export default { render };
