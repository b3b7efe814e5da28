/** The part of a translation bundle that views need, so that they also run outside of Lab. */

/** Translates messages; Lab's `TranslationBundle` is one. */
export interface ITranslate {
  /** Translate a message with `%1`, `%2`… replaced. */
  __(message: string, ...args: (string | number)[]): string;
  /** Translate a message that has a plural; `%1` is the number. */
  _n(one: string, many: string, n: number, ...args: (string | number)[]): string;
}

function fill(message: string, args: (string | number)[]): string {
  return message.replace(/%(\d)/g, (all, n: string) =>
    String(args[Number(n) - 1] ?? all)
  );
}

/** English as written, for the widget in a front end without translations. */
export const ENGLISH: ITranslate = {
  __: (message, ...args) => fill(message, args),
  _n: (one, many, n, ...args) => fill(n === 1 ? one : many, [n, ...args])
};
