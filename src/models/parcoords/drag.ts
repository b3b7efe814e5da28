/** Dragging on an axis: a new brush, or an old one moved or pulled at one end. */
import type { Span } from './brush';

/** A drag that has begun. */
export interface Drag {
  readonly mode: 'new' | 'move' | 'from' | 'to';
  readonly start: number;
  readonly span: Span;
}

/** Begin a drag at a position in [0, 1]; `tolerance` is how close to an end counts as the end. */
export function beginDrag(spans: readonly Span[], at: number, tolerance: number): Drag {
  if (spans.length) {
    const span = {
      from: Math.min(...spans.map(s => s.from)),
      to: Math.max(...spans.map(s => s.to))
    };
    if (Math.abs(at - span.to) <= tolerance) {
      return { mode: 'to', start: at, span };
    }
    if (Math.abs(at - span.from) <= tolerance) {
      return { mode: 'from', start: at, span };
    }
    if (at > span.from && at < span.to) {
      return { mode: 'move', start: at, span };
    }
  }
  return { mode: 'new', start: at, span: { from: at, to: at } };
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

/** The span after the pointer has come to `at`. */
export function dragTo(drag: Drag, at: number): Span {
  const place = clamp(at, 0, 1);
  const { span } = drag;
  switch (drag.mode) {
    case 'new':
      return { from: Math.min(drag.start, place), to: Math.max(drag.start, place) };
    case 'from':
      return { from: Math.min(place, span.to), to: Math.max(place, span.to) };
    case 'to':
      return { from: Math.min(place, span.from), to: Math.max(place, span.from) };
    default: {
      const by = clamp(at - drag.start, -span.from, 1 - span.to);
      return { from: span.from + by, to: span.to + by };
    }
  }
}
