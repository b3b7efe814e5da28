/** All axes of the plot: they are kept, so that a drag or the focus survives a new drawing. */
import type { Layout } from '../../models/parcoords/layout';
import type { CompareState } from '../../models/parcoords/state';
import type { ITranslate } from '../../models/strings';
import { html, setAttributes, svg } from '../dom';
import { AxisView, type AxisEvents } from './axisView';

function sameOrder(parent: Element, nodes: readonly Element[]): boolean {
  return (
    parent.children.length === nodes.length &&
    nodes.every((node, i) => node === parent.children[i])
  );
}

/** Axes with their titles, above the canvas. */
export class AxesView {
  readonly svg = svg('svg', { class: 'mltrack-Pc-svg' });
  readonly heads = html('div', { class: 'mltrack-Pc-heads' });
  private readonly _groups = svg('g');
  private readonly _lane = svg('text', {
    class: 'mltrack-Pc-lane',
    x: 4,
    dy: '0.32em'
  });
  private readonly _views = new Map<string, AxisView>();

  constructor(
    private readonly _events: AxisEvents,
    private readonly _trans: ITranslate
  ) {
    this._lane.textContent = _trans.__('missing');
    this.svg.append(this._lane, this._groups);
  }

  /** Draw the axes; while one is dragged their order in the document stays. */
  draw(state: CompareState, layout: Layout, dragging: boolean): void {
    const { shown, spec, selected, table } = state;
    const count = this._trans.__('%1 of %2 runs', selected, table.ids.length);
    setAttributes(this.svg, { width: layout.width, height: layout.height });
    setAttributes(this._lane, {
      y: layout.lane ?? 0,
      visibility: layout.lane === null ? 'hidden' : 'visible'
    });
    const views = shown.map((axis, i) => {
      const view =
        this._views.get(axis.id) ?? new AxisView(axis, this._events, this._trans);
      this._views.set(axis.id, view);
      view.update(axis, layout, layout.xs[i], spec.brushes[axis.id], count);
      return view;
    });
    const groups = views.map(view => view.group);
    // A node that is moved in the document loses the pointer it has captured.
    if (!dragging && !sameOrder(this._groups, groups)) {
      this._groups.replaceChildren(...groups);
      this.heads.replaceChildren(...views.map(view => view.head));
    }
  }

  /** Put the focus on the brush of an axis, or on its title. */
  focus(id: string, title: boolean): void {
    const view = this._views.get(id);
    if (title) {
      view?.focusTitle();
    } else {
      view?.focus();
    }
  }
}
