/** The line next to the pointer. */

/** Where lines run: one row of heights per axis, in pixels. */
export interface Lines {
  /** Horizontal place of each axis, ascending. */
  readonly xs: readonly number[];
  /** Height of each run on each axis: `ys[axis][row]`. */
  readonly ys: readonly Float64Array[];
}

/** The index of the gap between two axes in which `x` lies; -1 outside. */
export function gapAt(xs: readonly number[], x: number): number {
  for (let i = 0; i + 1 < xs.length; i++) {
    if (x >= xs[i] && x <= xs[i + 1]) {
      return i;
    }
  }
  return -1;
}

/**
 * The row whose line is nearest to a point, at most `reach` pixels away; -1 for none.
 * Rows with `mask[row] === 0` are out of play: what was brushed away does not catch the pointer.
 */
export function nearestRow(
  lines: Lines,
  mask: Uint8Array,
  x: number,
  y: number,
  reach: number
): number {
  const { xs, ys } = lines;
  if (xs.length === 0) {
    return -1;
  }
  let gap = gapAt(xs, x);
  let [left, right, t] = [0, 0, 0];
  if (gap >= 0) {
    [left, right] = [gap, gap + 1];
    t = (x - xs[left]) / Math.max(1, xs[right] - xs[left]);
  } else {
    gap = x < xs[0] ? 0 : xs.length - 1;
    [left, right] = [gap, gap];
    if (Math.abs(x - xs[gap]) > reach) {
      return -1;
    }
  }
  const width = Math.max(1, xs[right] - xs[left]);
  let [best, distance] = [-1, reach];
  for (let row = 0; row < mask.length; row++) {
    if (mask[row]) {
      const [a, b] = [ys[left][row], ys[right][row]];
      const slope = (b - a) / width;
      // The vertical distance overstates how far a steep line is away.
      const d = Math.abs(a + (b - a) * t - y) / Math.sqrt(1 + slope * slope);
      if (d < distance) {
        [best, distance] = [row, d];
      }
    }
  }
  return best;
}
