/** The course of a metric, in the height of a line of text. */
import * as React from 'react';
import type { Metric } from '../api/types';
import { shortNumber } from '../models/format';
import { toNumber } from '../models/table';

const WIDTH = 140;
const HEIGHT = 22;
/** More points than pixels only cost time. */
const MOST = 280;

/** The points of a path; gaps where a value is no number. */
export function sparkPath(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low || 1;
  const step = WIDTH / Math.max(1, values.length - 1);
  let pen = 'M';
  return values
    .map((value, i) => {
      if (!Number.isFinite(value)) {
        pen = 'M';
        return '';
      }
      const y = HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4);
      const part = `${pen}${(i * step).toFixed(1)} ${y.toFixed(1)}`;
      pen = 'L';
      return part;
    })
    .join('');
}

/** Every n-th value, the last one always. */
export function thin(values: readonly number[], most: number): number[] {
  const stride = Math.max(1, Math.ceil(values.length / most));
  return values.filter((_, i) => i % stride === 0 || i === values.length - 1);
}

/** A small line of the points of a metric; nothing for a single point. */
export function Sparkline(props: {
  points: readonly Metric[] | undefined;
}): React.ReactElement | null {
  const { points } = props;
  if (!points || points.length < 2) {
    return null;
  }
  const sorted = [...points].sort((a, b) => (a.step ?? 0) - (b.step ?? 0));
  const values = sorted.map(point => toNumber(point.value));
  const label = `${shortNumber(values[0])} → ${shortNumber(values[values.length - 1])}`;
  return (
    <svg
      className="mltrack-Sparkline"
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <path d={sparkPath(thin(values, MOST))} />
    </svg>
  );
}
