/** Hooks that tie React to our models. */
import * as React from 'react';
import type { Observable } from '../models/observable';

/** Draw again when a model changes. */
export function useModel(...models: readonly Observable[]): void {
  const [, setTurn] = React.useState(0);
  React.useEffect(() => {
    const again = (): void => setTurn(turn => turn + 1);
    models.forEach(model => model.changed.connect(again));
    return () => models.forEach(model => model.changed.disconnect(again));
    // The list is spread anew for each drawing; its members say whether it is another.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, models);
}

/** The time, told again every `every` milliseconds. */
export function useNow(every: number): number {
  const [now, setNow] = React.useState(() => Date.now());
  React.useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** A value that follows another after it has been quiet. */
export function useQuiet<T>(value: T, ms: number): T {
  const [quiet, setQuiet] = React.useState(value);
  React.useEffect(() => {
    const timer = setTimeout(() => setQuiet(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return quiet;
}
