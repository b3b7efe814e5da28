/** Choosing several rows of a list: click, Ctrl, Shift. */
import { Observable } from './observable';

/** What is chosen in a list, by id. */
export class Selection extends Observable {
  private _ids: ReadonlySet<string> = new Set();
  private _anchor = '';

  /** What is chosen. */
  get ids(): ReadonlySet<string> {
    return this._ids;
  }

  /** Choose exactly these. */
  set(ids: Iterable<string>): void {
    this._ids = new Set(ids);
    this.notify();
  }

  /** Choose this and nothing else. */
  only(id: string): void {
    this._anchor = id;
    this.set([id]);
  }

  /** Choose one more, or one less. */
  toggle(id: string): void {
    const next = new Set(this._ids);
    if (!next.delete(id)) {
      next.add(id);
    }
    this._anchor = id;
    this.set(next);
  }

  /** Choose everything between the last choice and this one. */
  extend(id: string, order: readonly string[]): void {
    const [a, b] = [order.indexOf(this._anchor), order.indexOf(id)];
    if (a < 0 || b < 0) {
      this.toggle(id);
      return;
    }
    const range = order.slice(Math.min(a, b), Math.max(a, b) + 1);
    this.set([...this._ids, ...range]);
  }

  /** Choose nothing. */
  clear(): void {
    if (this._ids.size) {
      this.set([]);
    }
  }
}
