/** Where everything lies, in pixels. */
import type { Axis } from './axis';
import type { Lines } from './nearest';
import { toUnit } from './scale';

/** The measures of a plot. */
export interface Layout extends Lines {
  readonly width: number;
  readonly height: number;
  /** Upper end of the axes. */
  readonly top: number;
  /** Lower end of the axes. */
  readonly bottom: number;
  /** Height of the lane of runs without a value; null if every run has all of them. */
  readonly lane: number | null;
  /** Distance of two axes. */
  readonly gap: number;
}

const PAD = { left: 52, right: 76, top: 52, bottom: 12 };
const LANE = 26;
/** Axes closer than this cannot be read: the plot scrolls instead. */
const MIN_GAP = 72;

/** Lay out axes and lines in the room there is. */
export function layOut(
  axes: readonly Axis[],
  room: { width: number; height: number }
): Layout {
  const gaps = Math.max(1, axes.length - 1);
  const width = Math.max(room.width, PAD.left + PAD.right + gaps * MIN_GAP);
  const gap = (width - PAD.left - PAD.right) / gaps;
  const hasMissing = axes.some(axis => axis.missing > 0);
  const lane = hasMissing ? room.height - PAD.bottom : null;
  const bottom = room.height - PAD.bottom - (hasMissing ? LANE : 0);
  const xs = axes.map((_, i) =>
    axes.length === 1 ? PAD.left + gap / 2 : PAD.left + i * gap
  );
  const ys = axes.map(axis => {
    const height = bottom - PAD.top;
    return Float64Array.from(axis.values, value => {
      const at = toUnit(axis, value);
      return Number.isNaN(at) ? (lane ?? bottom) : bottom - at * height;
    });
  });
  return { width, height: room.height, top: PAD.top, bottom, lane, gap, xs, ys };
}

/** The place in the order for something dropped at `x`. */
export function indexAt(layout: Layout, x: number): number {
  let best = 0;
  layout.xs.forEach((at, i) => {
    if (Math.abs(at - x) < Math.abs(layout.xs[best] - x)) {
      best = i;
    }
  });
  return best;
}
