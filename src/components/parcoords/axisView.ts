/** One axis: its line and ticks, its brush, its title that can be dragged. */
import type { Axis } from '../../models/parcoords/axis';
import {
  brushFromSpan,
  brushText,
  nudgeBrush,
  spansOfBrush,
  toggleMissing
} from '../../models/parcoords/brush';
import { beginDrag, dragTo, type Drag } from '../../models/parcoords/drag';
import type { Layout } from '../../models/parcoords/layout';
import { ticks } from '../../models/parcoords/scale';
import type { Brush } from '../../models/parcoords/spec';
import type { ITranslate } from '../../models/strings';
import { html, setAttributes, svg } from '../dom';
import { follow } from '../follow';

/** What an axis tells the plot. */
export interface AxisEvents {
  /** A brush was drawn, moved or cleared; `done` at the end of a drag. */
  brush(id: string, brush: Brush | null, done: boolean): void;
  /** The axis was dragged to a place; `done` when it is let go. */
  drag(id: string, x: number, done: boolean): void;
  /** The axis was moved by the keyboard, or the focus goes to a neighbour. */
  step(id: string, by: 1 | -1, what: 'axis' | 'focus'): void;
  /** The scale was switched. */
  log(id: string, log: boolean): void;
}

const HIT = 14;
const CHAR = 6.2;

function shorten(text: string, room: number): string {
  const most = Math.max(3, Math.floor(room / CHAR));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** One axis of the plot. */
export class AxisView {
  /** The part below the titles. */
  readonly group: SVGGElement;
  /** Title and scale switch. */
  readonly head: HTMLDivElement;
  private readonly _title: HTMLButtonElement;
  private readonly _scale: HTMLButtonElement;
  private readonly _static = svg('g', { class: 'mltrack-Pc-ticks' });
  private readonly _brushes = svg('g', { class: 'mltrack-Pc-brushes' });
  private readonly _hit: SVGRectElement;
  private readonly _laneHit: SVGRectElement;
  private _axis: Axis;
  private _layout: Layout | null = null;
  private _brush: Brush | undefined;
  private _x = 0;

  constructor(
    axis: Axis,
    private readonly _events: AxisEvents,
    private readonly _trans: ITranslate
  ) {
    this._axis = axis;
    this._hit = svg('rect', {
      class: 'mltrack-Pc-hit',
      tabindex: 0,
      role: 'slider',
      'aria-orientation': 'vertical',
      'data-testid': 'mltrack-axis-brush',
      'data-key': axis.id,
      pointerdown: (event: PointerEvent) => this._press(event),
      keydown: (event: KeyboardEvent) => this._key(event)
    });
    this._laneHit = svg('rect', {
      class: 'mltrack-Pc-laneHit',
      click: () => this._emit(toggleMissing(this._brush), true)
    });
    this.group = svg(
      'g',
      { class: 'mltrack-Pc-axis', 'data-testid': 'mltrack-axis', 'data-key': axis.id },
      this._static,
      this._brushes,
      this._laneHit,
      this._hit
    );
    this._title = html('button', {
      class: 'mltrack-Pc-title',
      type: 'button',
      'data-testid': 'mltrack-axis-title',
      'data-key': axis.id,
      pointerdown: (event: PointerEvent) => this._grab(event),
      keydown: (event: KeyboardEvent) => this._titleKey(event)
    });
    this._scale = html('button', {
      class: 'mltrack-Pc-scale',
      type: 'button',
      'data-testid': 'mltrack-axis-log',
      click: () => this._events.log(this._axis.id, !this._axis.log)
    });
    this.head = html('div', { class: 'mltrack-Pc-head' }, this._title, this._scale);
  }

  /** Show an axis at its place; `count` and `total` are for the screen reader. */
  update(
    axis: Axis,
    layout: Layout,
    x: number,
    brush: Brush | undefined,
    count: string
  ): void {
    const fresh = axis !== this._axis || layout.bottom !== this._layout?.bottom;
    this._axis = axis;
    this._x = x;
    this._brush = brush;
    const resized = fresh || layout.gap !== this._layout?.gap;
    this._layout = layout;
    this.group.setAttribute('transform', `translate(${x},0)`);
    this.head.style.left = `${x}px`;
    this.head.style.width = `${Math.min(160, Math.max(64, layout.gap - 8))}px`;
    if (resized || !this._static.firstChild) {
      this._drawStatic(layout);
    }
    this._drawBrush(layout, count);
  }

  /** Put the focus on the brush of this axis. */
  focus(): void {
    this._hit.focus();
  }

  /** Put the focus on the title of this axis. */
  focusTitle(): void {
    this._title.focus();
  }

  private _drawStatic(layout: Layout): void {
    const axis = this._axis;
    const height = layout.bottom - layout.top;
    this._title.textContent = axis.key;
    this._title.className = `mltrack-Pc-title mltrack-mod-${axis.kind}`;
    this._title.title = this._trans.__('%1 — drag, or Alt+Arrow, to move', axis.id);
    this._scale.hidden = !axis.canLog;
    this._scale.textContent = axis.log
      ? this._trans.__('log')
      : this._trans.__('linear');
    this._scale.title = this._trans.__('Switch between linear and logarithmic scale');
    this._scale.setAttribute('aria-pressed', String(axis.log));
    this._static.replaceChildren(
      svg('line', { y1: layout.top, y2: layout.bottom }),
      ...ticks(axis, Math.max(2, Math.round(height / 48))).map(tick => {
        const y = layout.bottom - tick.at * height;
        const label = svg(
          'text',
          { x: 7, y, dy: '0.32em' },
          shorten(tick.label, layout.gap - 16),
          svg('title', {}, tick.title)
        );
        return svg('g', {}, svg('line', { x1: -3, x2: 3, y1: y, y2: y }), label);
      })
    );
    if (layout.lane !== null && axis.missing) {
      this._static.append(
        svg('circle', { class: 'mltrack-Pc-laneDot', cy: layout.lane, r: 3 })
      );
    }
    setAttributes(this._hit, {
      x: -HIT,
      y: layout.top - 4,
      width: 2 * HIT,
      height: height + 8
    });
    const lane = layout.lane !== null && axis.missing > 0;
    setAttributes(this._laneHit, {
      x: -HIT,
      y: (layout.lane ?? 0) - 9,
      width: 2 * HIT,
      height: lane ? 18 : 0
    });
  }

  private _drawBrush(layout: Layout, count: string): void {
    const height = layout.bottom - layout.top;
    const spans = this._brush ? spansOfBrush(this._axis, this._brush) : [];
    const boxes = spans.map(span =>
      svg('rect', {
        class: 'mltrack-Pc-brush',
        x: -8,
        width: 16,
        rx: 2,
        y: layout.bottom - span.to * height,
        height: Math.max(2, (span.to - span.from) * height)
      })
    );
    if (this._brush?.kind === 'set' && this._brush.values.includes(null)) {
      const y = (layout.lane ?? layout.bottom) - 8;
      boxes.push(
        svg('rect', {
          class: 'mltrack-Pc-brush',
          x: -8,
          y,
          width: 16,
          height: 16,
          rx: 2
        })
      );
    }
    this._brushes.replaceChildren(...boxes);
    this.group.classList.toggle('mltrack-mod-brushed', this._brush !== undefined);
    const text = brushText(this._brush, this._trans);
    setAttributes(this._hit, {
      'aria-label': this._trans.__('Brush on %1', this._axis.id),
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-valuenow': Math.round((spans[0]?.to ?? 1) * 100),
      'aria-valuetext': `${text}; ${count}`
    });
  }

  private _emit(brush: Brush | null, done: boolean): void {
    this._events.brush(this._axis.id, brush, done);
  }

  private _at(event: PointerEvent): number {
    const layout = this._layout;
    const box = this._hit.getBoundingClientRect();
    const height = layout ? layout.bottom - layout.top : 1;
    return 1 - (event.clientY - box.top - 4) / height;
  }

  private _press(event: PointerEvent): void {
    if (event.button !== 0 || !this._layout) {
      return;
    }
    const height = this._layout.bottom - this._layout.top;
    const spans = this._brush ? spansOfBrush(this._axis, this._brush) : [];
    const drag: Drag = beginDrag(spans, this._at(event), 6 / height);
    const y = event.clientY;
    let moved = false;
    follow(this._hit, event, {
      move: e => {
        moved ||= Math.abs(e.clientY - y) > 3;
        if (moved) {
          this._emit(brushFromSpan(this._axis, dragTo(drag, this._at(e))), false);
        }
      },
      // A click that drags nothing clears, as in every plot of this kind.
      end: e => {
        const span = dragTo(drag, this._at(e));
        this._emit(moved ? brushFromSpan(this._axis, span) : null, true);
      }
    });
  }

  private _grab(event: PointerEvent): void {
    const start = event.clientX;
    const origin = this._x;
    const to = (e: PointerEvent, done: boolean): void => {
      if (done || Math.abs(e.clientX - start) > 5) {
        this._events.drag(this._axis.id, origin + e.clientX - start, done);
      }
    };
    follow(this._title, event, { move: e => to(e, false), end: e => to(e, true) });
  }

  private _key(event: KeyboardEvent): void {
    const { key } = event;
    if (key === 'ArrowUp' || key === 'ArrowDown') {
      const way = key === 'ArrowUp' ? 1 : -1;
      const kind = event.shiftKey ? 'resize' : 'move';
      this._emit(nudgeBrush(this._axis, this._brush, way, kind), true);
    } else if (key === 'Escape' && this._brush) {
      this._emit(null, true);
    } else if (!this._arrow(event)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private _titleKey(event: KeyboardEvent): void {
    if (event.altKey && this._arrow(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private _arrow(event: KeyboardEvent): boolean {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by) {
      this._events.step(this._axis.id, by, event.altKey ? 'axis' : 'focus');
    }
    return by !== 0;
  }
}
