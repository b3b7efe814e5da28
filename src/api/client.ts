/** The typed client: a wrong path or field does not compile. */
import { ApiError, ServerMissing } from './errors';
import type { paths } from './schema';
import type { ITransport } from './transport';
import type {
  Experiment,
  FileInfo,
  Metric,
  ModelVersion,
  RegisteredModel,
  Run,
  TableQuery,
  WireTable,
  WorkspaceInfo
} from './types';

type Method = 'get' | 'post' | 'patch' | 'delete';
type Content<T> = T extends { content: { 'application/json': infer B } } ? B : never;
type Body<O> = O extends { requestBody?: infer R } ? Content<NonNullable<R>> : never;
type Query<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never;
type Answer<O> = O extends { responses: { 200: infer R } } ? Content<R> : never;
type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

type Scalar = string | number | boolean;

function queryString(query: object): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query) as [string, Scalar | undefined][]) {
    if (value !== undefined && value !== '') {
      search.set(key, String(value));
    }
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}

/** Turn an answer into its JSON, or into the error it stands for. */
async function decode(response: Response): Promise<unknown> {
  let body: unknown;
  try {
    body = JSON.parse(await response.text());
  } catch {
    body = undefined;
  }
  if (response.ok && body !== undefined) {
    return body;
  }
  const error = (body ?? {}) as { error_code?: string; message?: string };
  // A page of the Jupyter server itself, or of a static host: nobody of ours is there.
  if (!error.error_code && (response.ok || [404, 405, 501].includes(response.status))) {
    throw new ServerMissing();
  }
  throw new ApiError(
    error.error_code ?? 'HTTP_ERROR',
    error.message || `HTTP ${response.status}`,
    response.status
  );
}

/** The operations of the tracking server that the front end uses. */
export class TrackingClient {
  constructor(private readonly _transport: ITransport) {}

  /** Version and place of the store. */
  info(): Promise<WorkspaceInfo> {
    return this._ask('get', '/api/1/info', {});
  }

  /** Active experiments, at most `max` of them. */
  async experiments(max = 1000): Promise<Experiment[]> {
    const path = '/api/2.0/mlflow/experiments/search';
    const body = { max_results: max, view_type: 'ACTIVE_ONLY' as const };
    return (await this._send('post', path, body)).experiments ?? [];
  }

  /** One experiment. */
  async experiment(id: string): Promise<Experiment> {
    const path = '/api/2.0/mlflow/experiments/get';
    const { experiment } = await this._ask('get', path, { experiment_id: id });
    if (!experiment) {
      throw new ApiError('RESOURCE_DOES_NOT_EXIST', `No experiment ${id}`, 404);
    }
    return experiment;
  }

  /** One page of runs. */
  table(query: TableQuery): Promise<WireTable> {
    return this._send('post', '/api/1/runs/table', query);
  }

  /** A run with everything that was logged to it but the history of metrics. */
  async run(runId: string): Promise<Run> {
    const { run } = await this._ask('get', '/api/2.0/mlflow/runs/get', {
      run_id: runId
    });
    if (!run) {
      throw new ApiError('RESOURCE_DOES_NOT_EXIST', `No run ${runId}`, 404);
    }
    return run;
  }

  /** Every point of a metric. */
  async history(runId: string, key: string): Promise<Metric[]> {
    const query = { run_id: runId, metric_key: key };
    const answer = await this._ask('get', '/api/2.0/mlflow/metrics/get-history', query);
    return answer.metrics ?? [];
  }

  /** The files and folders directly below `path`. */
  async artifacts(runId: string, path = ''): Promise<FileInfo[]> {
    const query = { run_id: runId, path };
    return (
      (await this._ask('get', '/api/2.0/mlflow/artifacts/list', query)).files ?? []
    );
  }

  /** Where an artifact can be downloaded. */
  artifactUrl(runId: string, path: string): string {
    return this._transport.url(`/get-artifact${queryString({ run_id: runId, path })}`);
  }

  /** The bytes of an artifact. */
  async artifactBytes(runId: string, path: string): Promise<ArrayBuffer> {
    const query = queryString({ run_id: runId, path });
    const response = await this._transport.send(`/get-artifact${query}`, {});
    if (!response.ok) {
      await decode(response);
    }
    return response.arrayBuffer();
  }

  /** Give a run another name. */
  async renameRun(runId: string, name: string): Promise<void> {
    const body = { run_id: runId, run_name: name };
    await this._send('post', '/api/2.0/mlflow/runs/update', body);
  }

  /** Move a run to the trash. */
  async deleteRun(runId: string): Promise<void> {
    await this._send('post', '/api/2.0/mlflow/runs/delete', { run_id: runId });
  }

  /** Take a run out of the trash. */
  async restoreRun(runId: string): Promise<void> {
    await this._send('post', '/api/2.0/mlflow/runs/restore', { run_id: runId });
  }

  /** Registered models with their latest versions. */
  async models(max = 200): Promise<RegisteredModel[]> {
    const path = '/api/2.0/mlflow/registered-models/search';
    const answer = await this._ask('get', path, { max_results: max });
    return answer.registered_models ?? [];
  }

  /** Versions that match a filter as `run_id='…'`. */
  async versions(filter: string): Promise<ModelVersion[]> {
    const path = '/api/2.0/mlflow/model-versions/search';
    return (await this._ask('get', path, { filter })).model_versions ?? [];
  }

  /** Register the model of a run as the next version of a name. */
  async register(
    input: Body<Operation<'/api/1/registered-models/register', 'post'>>
  ): Promise<ModelVersion | undefined> {
    const answer = await this._send('post', '/api/1/registered-models/register', input);
    return answer.model_version;
  }

  /** Move a version to a stage, optionally archiving those that were there. */
  async setStage(
    input: Body<Operation<'/api/2.0/mlflow/model-versions/transition-stage', 'post'>>
  ): Promise<void> {
    await this._send('post', '/api/2.0/mlflow/model-versions/transition-stage', input);
  }

  /** Point an alias at a version. */
  async setAlias(name: string, alias: string, version: string): Promise<void> {
    const path = '/api/2.0/mlflow/registered-models/alias';
    await this._send('post', path, { name, alias, version });
  }

  /** Take an alias away. */
  async deleteAlias(name: string, alias: string): Promise<void> {
    const path = '/api/2.0/mlflow/registered-models/alias';
    await this._send('delete', path, { name, alias });
  }

  private _send<P extends keyof paths, M extends Method>(
    method: M,
    path: P,
    body: Body<Operation<P, M>>
  ): Promise<Answer<Operation<P, M>>> {
    const init = { method: method.toUpperCase(), body: JSON.stringify(body) };
    return this._request(path, {
      ...init,
      headers: { 'Content-Type': 'application/json' }
    });
  }

  private _ask<P extends keyof paths, M extends Method>(
    method: M,
    path: P,
    query: Query<Operation<P, M>> | Record<string, never>
  ): Promise<Answer<Operation<P, M>>> {
    const init = { method: method.toUpperCase() };
    return this._request(path + queryString(query), init);
  }

  private async _request<T>(path: string, init: RequestInit): Promise<T> {
    return (await decode(await this._transport.send(path, init))) as T;
  }
}
