/** A colour-blind-safe scale. */

/** Viridis at ten even steps (Smith, van der Walt; public domain). */
const VIRIDIS: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [181, 222, 43],
  [253, 231, 37]
];

/** The part of the scale that stands out from the background. */
function usable(dark: boolean): [number, number] {
  return dark ? [0.18, 1] : [0, 0.92];
}

/** The colour at a position in [0, 1]. */
export function viridis(at: number, dark: boolean): string {
  const [from, to] = usable(dark);
  const place =
    (from + Math.max(0, Math.min(1, at)) * (to - from)) * (VIRIDIS.length - 1);
  const i = Math.min(VIRIDIS.length - 2, Math.floor(place));
  const t = place - i;
  const mix = VIRIDIS[i].map((c, k) => Math.round(c + (VIRIDIS[i + 1][k] - c) * t));
  return `rgb(${mix.join(', ')})`;
}

/** The scale as a CSS gradient, for a legend. */
export function gradient(dark: boolean): string {
  const stops = Array.from({ length: 9 }, (_, i) => viridis(i / 8, dark));
  return `linear-gradient(to right, ${stops.join(', ')})`;
}

/** How faint lines are drawn that were brushed away: all of them together stay in the back. */
export function faintAlpha(count: number): number {
  return Math.max(0.04, 0.16 * Math.min(1, 150 / Math.max(1, count)));
}

/** How strong lines are drawn: many of them must not become one block. */
export function lineAlpha(count: number): number {
  return count > 3000 ? 0.18 : count > 600 ? 0.35 : count > 120 ? 0.6 : 0.9;
}
