/** The base of models: something changed, look again. */
import { messageOf, ServerMissing } from '../api/errors';
import { Signal, type ISignal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';

/** How far loading has come. */
export interface Load {
  readonly state: 'loading' | 'ready' | 'missing' | 'error';
  readonly message: string;
}

/** Nothing has come yet. */
export const LOADING: Load = { state: 'loading', message: '' };
/** Everything asked for is there. */
export const READY: Load = { state: 'ready', message: '' };

/** What loading has come to when something was thrown. */
export function failed(error: unknown): Load {
  const state = error instanceof ServerMissing ? 'missing' : 'error';
  return { state, message: messageOf(error) };
}

/** A model that says when it has changed. */
export class Observable implements IDisposable {
  private readonly _changed = new Signal<this, void>(this);
  private _isDisposed = false;

  /** Something changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether the model was let go. */
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Let the model go; nobody hears of it any more. */
  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** Tell that something changed. */
  protected notify(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }
}
