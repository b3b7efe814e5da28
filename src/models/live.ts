/** The change feed in the browser: heard once, passed on in bursts, kept for the sleeping. */
import type { Change } from '../api/types';

/** The event schema of the change feed. */
export const CHANGES_SCHEMA = 'https://mltrack-jupyter.org/events/changes/v1';

/** Changes that came together. */
export interface Batch {
  readonly changes: readonly Change[];
  /** Changes were missed: nothing on screen can be trusted. */
  readonly gap: boolean;
}

/** Where changes can be listened to. */
export interface IFeed {
  /** Listen; returns how to stop. */
  listen(listener: (batch: Batch) => void): () => void;
}

interface Message {
  readonly last: number;
  readonly changes: Change[];
}

function readMessage(event: unknown): Message | null {
  const body = event as { schema_id?: string; last?: unknown; changes?: unknown };
  if (body?.schema_id !== CHANGES_SCHEMA) {
    return null;
  }
  const changes = Array.isArray(body.changes) ? (body.changes as Change[]) : [];
  const last = typeof body.last === 'number' ? body.last : (changes.at(-1)?.seq ?? 0);
  return { last, changes };
}

/** Listens to Jupyter's event bus. */
export class ChangeFeed implements IFeed {
  private readonly _listeners = new Set<(batch: Batch) => void>();
  private _last = 0;

  listen(listener: (batch: Batch) => void): () => void {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  }

  /** Listen until the stream ends. */
  async follow(stream: AsyncIterable<unknown>): Promise<void> {
    for await (const event of stream) {
      this.receive(event);
    }
  }

  /** Take one event of the bus; those of others are passed over. */
  receive(event: unknown): void {
    const message = readMessage(event);
    if (!message) {
      return;
    }
    const { changes, last } = message;
    const first = changes[0]?.seq ?? last;
    const final = changes.at(-1)?.seq ?? 0;
    const gap = (this._last > 0 && first > this._last + 1) || final < last;
    this._last = Math.max(this._last, last);
    for (const listener of [...this._listeners]) {
      listener({ changes, gap });
    }
  }
}

/** What a refresher needs to know. */
export interface RefresherOptions {
  readonly feed: IFeed;
  /** Whether a change matters. */
  wants(change: Change): boolean;
  /** Bring up to date; called at most every `interval`, never twice at a time. */
  refresh(batch: Batch): Promise<void>;
  /** Milliseconds between two refreshes. */
  readonly interval?: number;
}

/** More changes than this at once: reading everything anew is cheaper. */
const MOST = 1000;

/** Gathers changes and refreshes: not too often, and only while somebody looks. */
export class Refresher {
  private _pending: Change[] = [];
  private _gap = false;
  private _active = false;
  private _busy = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private readonly _stop: () => void;

  constructor(private readonly _options: RefresherOptions) {
    this._stop = _options.feed.listen(batch => this._take(batch));
  }

  /** Wake up or go to sleep; what came meanwhile is made up for on waking. */
  setActive(active: boolean): void {
    this._active = active;
    this._plan(0);
  }

  /** Listen no more. */
  dispose(): void {
    this._active = false;
    this._stop();
    clearTimeout(this._timer);
  }

  private _take(batch: Batch): void {
    const wanted = batch.changes.filter(change => this._options.wants(change));
    this._gap ||= batch.gap;
    this._pending.push(...wanted);
    if (this._pending.length > MOST) {
      this._pending = [];
      this._gap = true;
    }
    this._plan(0);
  }

  private _plan(delay: number): void {
    const due = this._gap || this._pending.length > 0;
    if (!due || !this._active || this._busy || this._timer !== undefined) {
      return;
    }
    this._timer = setTimeout(() => void this._run(), delay);
  }

  private async _run(): Promise<void> {
    this._timer = undefined;
    if (!this._active) {
      return;
    }
    const batch = { changes: this._pending, gap: this._gap };
    this._pending = [];
    this._gap = false;
    this._busy = true;
    try {
      await this._options.refresh(batch);
    } finally {
      // The pause follows the answer: a slow server is not asked faster than it can answer.
      this._timer = setTimeout(() => {
        this._timer = undefined;
        this._busy = false;
        this._plan(0);
      }, this._options.interval ?? 250);
    }
  }
}
