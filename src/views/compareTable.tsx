/** The table below the plot, and what can be done with the runs in it. */
import * as React from 'react';
import { FilterBox } from '../components/filterBox';
import { useModel } from '../components/hooks';
import { LoadMessage } from '../components/message';
import { RunTableView } from '../components/runTable';
import { bestRow } from '../models/best';
import type { CompareModel } from '../models/compare';
import type { IContext } from '../models/context';
import { shortNumber } from '../models/format';
import { compareState } from '../models/parcoords/state';
import { nextSort, sortRows, type Sort } from '../models/sorting';
import { findColumn, toNumber } from '../models/table';

/** What the parts of a comparison are given. */
export interface CompareProps {
  readonly model: CompareModel;
  readonly context: IContext;
}

/** A filter of the server, where the runs come from a search. */
export interface CompareFilter {
  readonly value: string;
  readonly error: string;
  onChange(filter: string): void;
}

function RegisterBest({ model, context }: CompareProps): React.ReactElement | null {
  const { trans, act } = context;
  const { table } = model.source;
  const { color } = compareState(table, model.spec);
  if (color?.kind !== 'metric') {
    return null;
  }
  const picked = [...model.picked.ids];
  const among = picked.length ? picked : model.visible;
  const row = bestRow(table, color.key, new Set(among));
  const value = toNumber(findColumn(table, color.id)?.values[row]);
  return (
    <button
      type="button"
      className="mltrack-Button mltrack-mod-accept"
      data-testid="mltrack-register-best"
      disabled={row < 0}
      title={row < 0 ? '' : trans.__('Register the model of %1', table.names[row])}
      onClick={() => act.register(table.ids[row])}
    >
      {row < 0
        ? trans.__('Register Best')
        : trans.__('Register Best (%1 = %2)', color.key, shortNumber(value))}
    </button>
  );
}

/** Filter, number of picked runs, and actions. */
export function CompareBar(
  props: CompareProps & { filter?: CompareFilter }
): React.ReactElement {
  const { model, context, filter } = props;
  const { trans } = context;
  useModel(model, model.picked);
  const picked = [...model.picked.ids];
  return (
    <div className="mltrack-CompareBar">
      {filter && <FilterBox {...filter} trans={trans} />}
      <span className="mltrack-Quiet" role="status">
        {picked.length
          ? trans._n('%1 run picked', '%1 runs picked', picked.length)
          : ''}
      </span>
      {picked.length > 0 && (
        <button
          type="button"
          className="mltrack-Button"
          onClick={() => model.picked.clear()}
        >
          {trans.__('Clear')}
        </button>
      )}
      {picked.length > 1 && (
        <button
          type="button"
          className="mltrack-Button"
          data-testid="mltrack-compare-button"
          onClick={() => context.act.compare(picked)}
        >
          {trans.__('Compare Only These (%1)', picked.length)}
        </button>
      )}
      <RegisterBest {...props} />
    </div>
  );
}

/** The table. */
export function CompareTable({ model, context }: CompareProps): React.ReactElement {
  useModel(model);
  const [sort, setSort] = React.useState<Sort | null>(null);
  const { table, load } = model.source;
  const { spec, visible } = model;
  const columns = React.useMemo(() => {
    const shown = compareState(table, spec).shown.map(axis => axis.id);
    const rest = ['attributes.duration', 'attributes.start_time'];
    return [...shown, ...rest.filter(id => !shown.includes(id))];
  }, [table, spec]);
  const rows = React.useMemo(() => {
    const inside = new Set(visible);
    const all = table.ids.flatMap((id, row) => (inside.has(id) ? row : []));
    return sortRows(table, all, sort);
  }, [table, visible, sort]);
  return (
    <div className="mltrack-CompareTable">
      <LoadMessage
        load={load}
        trans={context.trans}
        retry={() => void model.source.reload()}
      />
      <RunTableView
        table={table}
        rows={rows}
        columns={columns}
        sort={sort}
        selection={model.picked}
        hovered={model.hovered}
        context={context}
        onSort={id => setSort(nextSort(sort, id))}
        onHover={id => model.setHovered(id)}
      />
    </div>
  );
}
