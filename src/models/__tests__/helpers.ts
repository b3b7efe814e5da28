/** A small server and feed for tests of models. */
import { TrackingClient } from '../../api/client';
import type { ITransport } from '../../api/transport';
import type { Change, Column, TableQuery, WireTable } from '../../api/types';
import type { Batch, IFeed } from '../live';

/** An answer as the server gives it. */
export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status });
}

/** A transport that answers from a function and remembers what was asked. */
export class FakeTransport implements ITransport {
  readonly asked: { path: string; body: TableQuery & Record<string, unknown> }[] = [];

  constructor(public answer: (path: string, body: TableQuery) => Response) {}

  send(path: string, init: RequestInit): Promise<Response> {
    const body = JSON.parse(String(init.body ?? '{}')) as TableQuery;
    this.asked.push({ path, body: body as TableQuery & Record<string, unknown> });
    return Promise.resolve(this.answer(path, body));
  }

  url(path: string): string {
    return `/base/mltrack${path}`;
  }
}

/** A feed that says what it is told to. */
export class FakeFeed implements IFeed {
  private readonly _listeners = new Set<(batch: Batch) => void>();

  listen(listener: (batch: Batch) => void): () => void {
    this._listeners.add(listener);
    return () => this._listeners.delete(listener);
  }

  say(changes: Partial<Change>[], gap = false): void {
    const full = changes.map(c => ({
      seq: 1,
      entity: 'run',
      entity_id: '',
      action: 'update',
      ...c
    }));
    this._listeners.forEach(listener => listener({ changes: full, gap }));
  }
}

/** A client that talks to a transport. */
export function clientOf(transport: ITransport): TrackingClient {
  return new TrackingClient(transport);
}

/** A table on the wire with the ids given. */
export function wire(ids: string[], columns: Column[] = [], next = ''): WireTable {
  return {
    run_ids: ids,
    run_names: ids.map(id => `name ${id}`),
    experiment_ids: ids.map(() => '1'),
    statuses: ids.map(() => 'FINISHED'),
    start_times: ids.map((_, i) => i * 1000),
    end_times: ids.map((_, i) => i * 1000 + 500),
    user_ids: ids.map(() => 'ada'),
    columns,
    ...(next ? { next_page_token: next } : {}),
    total: ids.length
  };
}

/** A column of a table. */
export function column(
  kind: string,
  key: string,
  values: (string | number | null)[]
): Column {
  return { kind, key, values };
}
