/** Runs page by page, filtered by the server, kept up to date by the change feed. */
import type { TrackingClient } from '../api/client';
import { ApiError } from '../api/errors';
import type { Change, TableQuery } from '../api/types';
import { Refresher, type Batch, type IFeed } from './live';
import { failed, LOADING, Observable, READY, type Load } from './observable';
import {
  appendPage,
  EMPTY_TABLE,
  filterRows,
  fromWire,
  metricKeys,
  refreshHead,
  replaceRows,
  type RunTable
} from './table';

/** Which runs are listed. */
export interface RunQuery {
  /** Experiments to look in; absent: all. */
  readonly experimentIds?: readonly string[];
  /** These runs and no others. */
  readonly runIds?: readonly string[];
  /** In MLflow's grammar. */
  readonly filter: string;
  /** As `metrics.acc DESC`; empty: the newest first. */
  readonly orderBy: string;
}

/** Options of a list. */
export interface RunListOptions {
  readonly client: TrackingClient;
  readonly feed: IFeed;
  /** Rows of a page. */
  readonly pageSize?: number;
  /** Read on without being asked until so many are there. */
  readonly eager?: number;
}

/** More changed runs than this are read as a page. */
const FEW = 50;

/** A list of runs. */
export class RunListModel extends Observable {
  private readonly _refresher: Refresher;
  private _query: RunQuery | null = null;
  private _table: RunTable = EMPTY_TABLE;
  private _load: Load = LOADING;
  private _filterError = '';
  private _turn = 0;
  private _paging = false;
  private _metric = '';

  constructor(private readonly _options: RunListOptions) {
    super();
    this._refresher = new Refresher({
      feed: _options.feed,
      wants: change => this._wants(change),
      refresh: batch => this._refresh(batch)
    });
  }

  /** The runs read so far. */
  get table(): RunTable {
    return this._table;
  }

  /** What is asked for. */
  get query(): RunQuery | null {
    return this._query;
  }

  /** How far loading has come. */
  get load(): Load {
    return this._load;
  }

  /** What the server says about the filter; empty if it understands it. */
  get filterError(): string {
    return this._filterError;
  }

  /** The metric shown beside each run: the chosen one, else the most frequent. */
  get mainMetric(): string {
    const keys = metricKeys(this._table);
    return this._metric && (keys.includes(this._metric) || !keys.length)
      ? this._metric
      : (keys[0] ?? '');
  }

  /** Choose the metric shown beside each run; empty: the most frequent. */
  setMainMetric(key: string): void {
    this._metric = key;
    this.notify();
  }

  /** Wake up or go to sleep. */
  setActive(active: boolean): void {
    this._refresher.setActive(active);
  }

  /** Ask for other runs; the old ones stay until the new are there. */
  async setQuery(query: RunQuery): Promise<void> {
    const elsewhere =
      query.experimentIds?.join() !== this._query?.experimentIds?.join() ||
      query.runIds?.join() !== this._query?.runIds?.join();
    this._query = query;
    if (elsewhere) {
      this._table = EMPTY_TABLE;
      this._load = LOADING;
      this.notify();
    }
    await this.reload();
  }

  /** Read the first page anew. */
  async reload(): Promise<void> {
    // From here on, answers to what was asked before are of no interest.
    this._turn += 1;
    await this._guard(async () => {
      const page = await this._page('');
      this._filterError = '';
      return page;
    });
    if (this._load.state === 'ready') {
      await this._readAhead();
    }
  }

  /** Read the next page, if there is one. */
  async more(): Promise<void> {
    const token = this._table.next;
    if (!token || this._paging) {
      return;
    }
    this._paging = true;
    try {
      await this._guard(async () => {
        const page = await this._page(token);
        return appendPage(this._table, page);
      });
    } finally {
      this._paging = false;
    }
  }

  override dispose(): void {
    this._turn += 1;
    this._refresher.dispose();
    super.dispose();
  }

  private async _readAhead(): Promise<void> {
    const query = this._query;
    const enough = this._options.eager ?? 0;
    while (
      this._table.next &&
      this._table.ids.length < enough &&
      query === this._query
    ) {
      const before = this._table.ids.length;
      await this.more();
      if (this._table.ids.length === before) {
        break;
      }
    }
  }

  /** Take an answer over, unless another question was asked meanwhile. */
  private async _guard(read: () => Promise<RunTable>): Promise<void> {
    const query = this._query;
    const turn = this._turn;
    try {
      const table = await read();
      if (turn === this._turn) {
        this._table = table;
        this._load = READY;
      }
    } catch (error) {
      if (turn === this._turn) {
        const refused = error instanceof ApiError && error.status === 400;
        if (refused && query?.filter) {
          // The filter is being typed: the rows stay, the reason is shown below the box.
          this._filterError = error.message;
          this._load = READY;
        } else {
          this._load = failed(error);
        }
      }
    }
    if (turn === this._turn) {
      this.notify();
    }
  }

  private async _page(token: string, only?: string[]): Promise<RunTable> {
    const { experimentIds, runIds, filter, orderBy } = this._query ?? {
      filter: '',
      orderBy: ''
    };
    const query: TableQuery = {
      max_results: this._options.pageSize ?? 200,
      ...(only ? { run_ids: only } : {}),
      ...(!only && runIds ? { run_ids: [...runIds], max_results: runIds.length } : {}),
      ...(!only && experimentIds ? { experiment_ids: [...experimentIds] } : {}),
      ...(!only && filter ? { filter } : {}),
      ...(orderBy ? { order_by: [orderBy] } : {}),
      ...(token ? { page_token: token } : {})
    };
    return fromWire(await this._options.client.table(query));
  }

  private _wants(change: Change): boolean {
    const { experimentIds, runIds } = this._query ?? {};
    if (change.entity !== 'run' || !this._query) {
      return false;
    }
    if (runIds) {
      return runIds.includes(change.entity_id);
    }
    return !experimentIds || experimentIds.includes(change.parent_id ?? '');
  }

  private async _refresh({ changes, gap }: Batch): Promise<void> {
    const gone = new Set(
      changes.filter(c => c.action.includes('delete')).map(c => c.entity_id)
    );
    const ids = [...new Set(changes.map(c => c.entity_id))];
    const known = new Set(this._table.ids);
    const here = ids.every(id => known.has(id) && !gone.has(id));
    if (!gap && here && ids.length <= FEW && !this._query?.filter) {
      await this._guard(async () => {
        const fresh = await this._page('', ids);
        return replaceRows(this._table, fresh);
      });
    } else {
      await this._guard(async () => {
        const head = await this._page('');
        // With a filter, runs may have left it: only what the server says now is true.
        const keep = this._query?.filter || gap ? head : refreshHead(this._table, head);
        return filterRows(keep, id => !gone.has(id) || head.ids.includes(id));
      });
    }
  }
}
