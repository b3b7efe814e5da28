/** What can go wrong between the browser and the tracking server. */

/** An answer of the tracking server that is no success. */
export class ApiError extends Error {
  constructor(
    /** MLflow's code, as `RESOURCE_DOES_NOT_EXIST`. */
    readonly code: string,
    message: string,
    /** The HTTP status. */
    readonly status: number
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** Nobody answers below `/mltrack`: the server extension is not installed or not enabled. */
export class ServerMissing extends Error {
  constructor() {
    super('The MLTrack server extension does not answer.');
    this.name = 'ServerMissing';
  }
}

/** Whether the error says that the thing asked for is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'RESOURCE_DOES_NOT_EXIST';
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
