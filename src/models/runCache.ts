/** Reads runs by id for many small views at once: a notebook of fifty cards asks once. */
import type { TrackingClient } from '../api/client';
import { fromWire, pickRows, type RunTable } from './table';

interface Waiting {
  readonly ids: readonly string[];
  resolve(table: RunTable): void;
  reject(error: unknown): void;
}

/** Views that appear within this time share a request, in milliseconds. */
const GATHER_MS = 15;

/** Gathers questions for runs into one request. */
export class RunCache {
  private _waiting: Waiting[] = [];

  constructor(private readonly _client: TrackingClient) {}

  /** The runs of these ids; unknown ones are left out. */
  read(ids: readonly string[]): Promise<RunTable> {
    return new Promise((resolve, reject) => {
      if (this._waiting.length === 0) {
        setTimeout(() => void this._flush(), GATHER_MS);
      }
      this._waiting.push({ ids, resolve, reject });
    });
  }

  private async _flush(): Promise<void> {
    const waiting = this._waiting;
    this._waiting = [];
    const ids = [...new Set(waiting.flatMap(w => w.ids))];
    try {
      const query = { run_ids: ids, max_results: Math.max(1, ids.length) };
      const table = fromWire(await this._client.table(query));
      for (const { ids: own, resolve } of waiting) {
        resolve(pickRows(table, own));
      }
    } catch (error) {
      waiting.forEach(w => w.reject(error));
    }
  }
}
