/** A fixed set of runs, alive: what a card or a comparison in a notebook stands for. */
import { Refresher, type IFeed } from './live';
import { failed, LOADING, Observable, READY, type Load } from './observable';
import type { RunCache } from './runCache';
import { EMPTY_TABLE, type RunTable } from './table';

/** Runs by id. */
export class RunSetModel extends Observable {
  private readonly _refresher: Refresher;
  private _table: RunTable = EMPTY_TABLE;
  private _load: Load = LOADING;
  private _started = false;

  constructor(
    /** The runs, in the order in which they are shown. */
    readonly runIds: readonly string[],
    private readonly _cache: RunCache,
    feed: IFeed
  ) {
    super();
    const own = new Set(runIds);
    this._refresher = new Refresher({
      feed,
      wants: change => change.entity === 'run' && own.has(change.entity_id),
      refresh: () => this.reload()
    });
  }

  /** The runs that the server knows. */
  get table(): RunTable {
    return this._table;
  }

  /** How far loading has come. */
  get load(): Load {
    return this._load;
  }

  /** Wake up or go to sleep; the first waking reads the runs. */
  setActive(active: boolean): void {
    if (active && !this._started) {
      this._started = true;
      void this.reload();
    }
    this._refresher.setActive(active);
  }

  /** Read the runs anew. */
  async reload(): Promise<void> {
    try {
      this._table = await this._cache.read(this.runIds);
      this._load = READY;
    } catch (error) {
      this._load = failed(error);
    }
    this.notify();
  }

  override dispose(): void {
    this._refresher.dispose();
    super.dispose();
  }
}
