/** A comparison: runs from anywhere, how they are shown, which are selected. */
import type { ISignal } from '@lumino/signaling';
import { Observable, type Load } from './observable';
import type { CompareSpec } from './parcoords/spec';
import { Selection } from './selection';
import type { RunTable } from './table';

/** Where the runs come from. */
export interface IRunSource {
  readonly table: RunTable;
  readonly load: Load;
  readonly changed: ISignal<unknown, void>;
  setActive(active: boolean): void;
  reload(): Promise<void>;
  dispose(): void;
}

/** The model of a comparison. */
export class CompareModel extends Observable {
  /** Runs that were picked, one by one. */
  readonly picked = new Selection();
  private _visible: readonly string[] = [];
  private _hovered: string | null = null;

  constructor(
    readonly source: IRunSource,
    private _spec: CompareSpec
  ) {
    super();
    source.changed.connect(() => this.notify());
  }

  /** How the runs are shown. */
  get spec(): CompareSpec {
    return this._spec;
  }

  /** The runs inside all brushes. */
  get visible(): readonly string[] {
    return this._visible;
  }

  /** The run at which the pointer is. */
  get hovered(): string | null {
    return this._hovered;
  }

  /** Show the runs another way. */
  setSpec(spec: CompareSpec): void {
    if (spec !== this._spec) {
      this._spec = spec;
      this.notify();
    }
  }

  /** Other runs lie inside the brushes. */
  setVisible(runIds: readonly string[]): void {
    this._visible = runIds;
    this.notify();
  }

  /** The pointer is at another run. */
  setHovered(runId: string | null): void {
    if (runId !== this._hovered) {
      this._hovered = runId;
      this.notify();
    }
  }

  override dispose(): void {
    this.source.dispose();
    this.picked.dispose();
    super.dispose();
  }
}
