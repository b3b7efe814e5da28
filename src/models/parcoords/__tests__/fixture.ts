/** Four runs with every kind of column. */
import { column, wire } from '../../__tests__/helpers';
import { fromWire } from '../../table';
import { buildAxes, type Axis } from '../axis';

/** The runs. */
export const table = fromWire(
  wire(
    ['a', 'b', 'c', 'd'],
    [
      column('param', 'lr', ['1e-4', '0.001', '0.1', '0.01']),
      column('param', 'depth', ['2', '10', null, '4']),
      column('param', 'crit', [
        'gini',
        'entropy',
        'gini',
        'a very long name of a category'
      ]),
      column('param', 'mixed', ['10', 'None', '9', 'auto']),
      column('param', 'same', ['1', '1', '1', '1']),
      column('metric', 'acc', [0.5, 0.9, 'NaN', 0.7]),
      column('tag', 'team', ['x', 'y', 'x', 'y']),
      column('tag', 'mlflow.parentRunId', ['1', '2', '3', '4'])
    ]
  )
);
/** Their axes. */
export const axes = buildAxes(table);
/** One axis. */
export const axis = (id: string): Axis => {
  const found = axes.find(a => a.id === id);
  if (!found) {
    throw new Error(id);
  }
  return found;
};
