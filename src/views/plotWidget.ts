/** The parallel coordinates as a Lumino widget, tied to the model of a comparison. */
import { Widget } from '@lumino/widgets';
import { ParallelCoordinates } from '../components/parcoords/parcoords';
import type { CompareModel } from '../models/compare';
import type { IContext } from '../models/context';
import type { CompareSpec } from '../models/parcoords/spec';
import type { RunTable } from '../models/table';

/** The plot of a comparison. */
export class PlotWidget extends Widget {
  private readonly _plot: ParallelCoordinates;
  private _table: RunTable | null = null;
  private _spec: CompareSpec | null = null;

  constructor(
    private readonly _model: CompareModel,
    context: IContext
  ) {
    super();
    this.addClass('mltrack-PlotWidget');
    this._plot = new ParallelCoordinates(
      {
        spec: spec => {
          this._spec = spec;
          _model.setSpec(spec);
        },
        selected: ids => _model.setVisible(ids),
        hovered: id => _model.setHovered(id),
        picked: id => _model.picked.toggle(id),
        opened: id => context.act.openRun(id)
      },
      context.trans
    );
    this.node.append(this._plot.node);
    this._update();
    _model.changed.connect(this._update, this);
    _model.picked.changed.connect(this._pick, this);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._model.changed.disconnect(this._update, this);
      this._model.picked.changed.disconnect(this._pick, this);
      this._plot.dispose();
    }
    super.dispose();
  }

  private _update(): void {
    const { spec, source } = this._model;
    if (spec !== this._spec) {
      this._spec = spec;
      this._plot.setSpec(spec);
    }
    if (source.table !== this._table) {
      this._table = source.table;
      this._plot.setTable(source.table);
    }
    this._plot.setHover(this._model.hovered);
  }

  private _pick(): void {
    this._plot.setPicked(this._model.picked.ids);
  }
}
