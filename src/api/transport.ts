/** How requests leave: one method, so that models can be tested without a network. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** Sends a request to a path below `/mltrack`. */
export interface ITransport {
  /** Send; resolves with any answer of the server, also an error. */
  send(path: string, init: RequestInit): Promise<Response>;
  /** The address of a path, for links. */
  url(path: string): string;
}

/** The transport with the credentials and base URL of the Jupyter server. */
export class JupyterTransport implements ITransport {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  send(path: string, init: RequestInit): Promise<Response> {
    return ServerConnection.makeRequest(this.url(path), init, this._settings);
  }

  url(path: string): string {
    return URLExt.join(this._settings.baseUrl, 'mltrack') + path;
  }
}
