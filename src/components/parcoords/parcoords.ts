/** Parallel coordinates: one implementation for notebook output, main area and anywidget. */
import { indexAt, layOut } from '../../models/parcoords/layout';
import { nearestRow } from '../../models/parcoords/nearest';
import {
  moveAxis,
  withBrush,
  EMPTY_SPEC,
  type Brush,
  type CompareSpec
} from '../../models/parcoords/spec';
import {
  compareState,
  selectedIds,
  type CompareState
} from '../../models/parcoords/state';
import type { ITranslate } from '../../models/strings';
import { EMPTY_TABLE, type RunTable } from '../../models/table';
import { html } from '../dom';
import { onThemeChange, readPalette } from '../theme';
import { AxesView } from './axesView';
import type { AxisEvents } from './axisView';
import type { ParcoordsEvents } from './events';
import { Painter, type Scene } from './painter';
import { Toolbar, type ToolbarEvents } from './toolbar';
import { Tooltip } from './tooltip';

/** How far from a line the pointer may be, in pixels. */
const REACH = 10;
const AXIS = '.mltrack-Pc-axis';

/** The plot with its toolbar. */
export class ParallelCoordinates {
  /** To be put into a page. */
  readonly node: HTMLDivElement;
  private readonly _plot: HTMLDivElement;
  private readonly _axes: AxesView;
  private readonly _empty: HTMLParagraphElement;
  private readonly _toolbar: Toolbar;
  private readonly _tooltip: Tooltip;
  private readonly _painter: Painter;
  private readonly _over: Painter;
  private readonly _stops: (() => void)[] = [];
  private _state: CompareState = compareState(EMPTY_TABLE, EMPTY_SPEC);
  private _scene: Scene | null = null;
  private _hover = -1;
  private _picked: ReadonlySet<string> = new Set();
  private _frame = 0;
  private _dragging = false;
  private _told = '';

  constructor(
    private readonly _events: ParcoordsEvents,
    trans: ITranslate
  ) {
    const lines = html('canvas', { 'data-testid': 'mltrack-parcoords-canvas' });
    const over = html('canvas', { class: 'mltrack-Pc-over' });
    this._painter = new Painter(lines);
    this._over = new Painter(over);
    this._tooltip = new Tooltip(trans);
    this._toolbar = new Toolbar(this._toolbarEvents(), trans);
    this._axes = new AxesView(this._axisEvents(), trans);
    this._empty = html('p', { class: 'mltrack-Pc-empty', hidden: true });
    this._empty.textContent = trans.__('No runs to compare yet.');
    const sheet = html(
      'div',
      { class: 'mltrack-Pc-sheet' },
      lines,
      over,
      this._axes.svg,
      this._axes.heads
    );
    this._plot = html(
      'div',
      { class: 'mltrack-Pc-plot' },
      sheet,
      this._tooltip.node,
      this._empty
    );
    this._listen();
    this.node = html(
      'div',
      { class: 'mltrack-Pc', 'data-testid': 'mltrack-parcoords' },
      this._toolbar.node,
      this._plot
    );
  }

  /** What is shown now. */
  get state(): CompareState {
    return this._state;
  }

  /** Show other runs. */
  setTable(table: RunTable): void {
    this._become(compareState(table, this._state.spec, this._state));
  }

  /** Show them another way. */
  setSpec(spec: CompareSpec): void {
    this._become(compareState(this._state.table, spec, this._state));
  }

  /** Draw runs strongly that were picked. */
  setPicked(runIds: Iterable<string>): void {
    this._picked = new Set(runIds);
    this._emphasise();
  }

  /** Draw the run strongly at which the pointer is elsewhere. */
  setHover(runId: string | null): void {
    this._hover = runId === null ? -1 : this._state.table.ids.indexOf(runId);
    this._emphasise();
  }

  /** Let go of everything. */
  dispose(): void {
    cancelAnimationFrame(this._frame);
    this._painter.stop();
    this._stops.forEach(stop => stop());
    this.node.remove();
  }

  private _listen(): void {
    const plot = this._plot;
    plot.addEventListener('pointermove', event => this._point(event));
    plot.addEventListener('pointerleave', () => this._leave());
    plot.addEventListener('click', event => this._click(event));
    plot.addEventListener('dblclick', () =>
      this._withHovered(id => this._events.opened?.(id))
    );
    if (typeof ResizeObserver !== 'undefined') {
      const observer = new ResizeObserver(() => this._later());
      observer.observe(plot);
      this._stops.push(() => observer.disconnect());
    }
    this._stops.push(onThemeChange(() => this._become(this._state)));
  }

  private _toolbarEvents(): ToolbarEvents {
    return {
      color: color => this._change({ ...this._state.spec, color }),
      axes: axes => this._change({ ...this._state.spec, axes }),
      reset: () => this._change(EMPTY_SPEC)
    };
  }

  private _axisEvents(): AxisEvents {
    return {
      brush: (id, brush, done) => this._brush(id, brush, done),
      drag: (id, x, done) => this._drag(id, x, done),
      step: (id, by, what) => this._step(id, by, what),
      log: (id, on) =>
        this._change({
          ...this._state.spec,
          log: { ...this._state.spec.log, [id]: on }
        })
    };
  }

  private _brush(id: string, brush: Brush | null, done: boolean): void {
    const spec = withBrush(this._state.spec, id, brush);
    if (done) {
      this._change(spec);
    } else {
      this.setSpec(spec);
    }
  }

  private _drag(id: string, x: number, done: boolean): void {
    this._dragging = !done;
    if (done) {
      this._later();
    } else if (this._scene) {
      this._move(id, indexAt(this._scene.layout, x));
    }
  }

  private _move(id: string, to: number): void {
    const ids = this._state.shown.map(axis => axis.id);
    if (ids.indexOf(id) !== to) {
      this._change({ ...this._state.spec, axes: moveAxis(ids, id, to) });
    }
  }

  private _step(id: string, by: 1 | -1, what: 'axis' | 'focus'): void {
    const ids = this._state.shown.map(axis => axis.id);
    const to = Math.max(0, Math.min(ids.length - 1, ids.indexOf(id) + by));
    const onTitle = this._axes.heads.contains(document.activeElement);
    if (what === 'axis') {
      this._move(id, to);
      this._layOut();
    }
    // Nodes moved in the document lose the focus.
    this._axes.focus(what === 'axis' ? id : ids[to], onTitle);
  }

  private _change(spec: CompareSpec): void {
    this.setSpec(spec);
    this._events.spec?.(spec);
  }

  private _become(state: CompareState): void {
    this._state = state;
    this._hover = -1;
    this._toolbar.update(state);
    const ids = selectedIds(state);
    const told = `${ids.length}:${ids.join()}`;
    if (told !== this._told) {
      this._told = told;
      this._events.selected?.(ids);
    }
    this._later();
  }

  private _later(): void {
    cancelAnimationFrame(this._frame);
    this._frame = requestAnimationFrame(() => this._layOut());
  }

  private _layOut(): void {
    const { clientWidth: width, clientHeight: height } = this._plot;
    if (width === 0 || height === 0) {
      return;
    }
    const layout = layOut(this._state.shown, { width, height });
    this._scene = { state: this._state, layout, palette: readPalette(this.node) };
    this._empty.hidden = this._state.table.ids.length > 0;
    this._axes.draw(this._state, layout, this._dragging);
    this._painter.paint(this._scene);
    this._emphasise();
  }

  private _emphasise(): void {
    if (!this._scene) {
      return;
    }
    const rows = this._state.table.ids.flatMap((id, row) =>
      this._picked.has(id) ? row : []
    );
    this._plot.classList.toggle('mltrack-mod-focused', this._hover >= 0);
    this._over.emphasise(this._scene, this._hover < 0 ? rows : [...rows, this._hover]);
  }

  private _point(event: PointerEvent): void {
    const scene = this._scene;
    if (!scene || event.buttons) {
      return;
    }
    const box = this._plot.getBoundingClientRect();
    const at = {
      x: event.clientX - box.left,
      y: event.clientY - box.top,
      width: box.width
    };
    const x = at.x + this._plot.scrollLeft;
    // On an axis the pointer is there to brush: a tooltip would cover what is brushed.
    const onAxis =
      event.target instanceof Element && event.target.closest(AXIS) !== null;
    const inside = !onAxis && at.y > scene.layout.top - REACH;
    const mask = scene.state.mask;
    const row = inside ? nearestRow(scene.layout, mask, x, at.y, REACH) : -1;
    if (row >= 0) {
      this._tooltip.show(scene.state, row, at);
    } else {
      this._tooltip.hide();
    }
    this._plot.classList.toggle('mltrack-mod-pointing', row >= 0);
    this._hoverRow(row);
  }

  private _leave(): void {
    this._tooltip.hide();
    this._hoverRow(-1);
  }

  private _hoverRow(row: number): void {
    if (row !== this._hover) {
      this._hover = row;
      this._emphasise();
      this._events.hovered?.(row < 0 ? null : this._state.table.ids[row]);
    }
  }

  private _click(event: MouseEvent): void {
    const onAxis = event.target instanceof Element && event.target.closest(AXIS);
    // A click on an axis is meant for its brush.
    if (!onAxis) {
      this._withHovered(id => this._events.picked?.(id));
    }
  }

  private _withHovered(tell: (runId: string) => void): void {
    if (this._hover >= 0) {
      tell(this._state.table.ids[this._hover]);
    }
  }
}
