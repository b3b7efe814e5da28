/** The experiments, the newest first. */
import * as React from 'react';
import { useModel, useNow } from '../components/hooks';
import { VirtualList } from '../components/virtualList';
import { age } from '../models/format';
import type { SectionProps } from './runs';

const ROW = 24;

/** The section. */
export function ExperimentsSection(props: SectionProps): React.ReactElement | null {
  const { model, context } = props;
  useModel(model);
  const now = useNow(60_000);
  const prefix = React.useId();
  const { experiments } = model;
  const selected = experiments.findIndex(e => e.experiment_id === model.experimentId);
  if (model.load.state !== 'ready') {
    // The runs below say what is wrong; twice would be louder, not clearer.
    return null;
  }
  if (experiments.length === 0) {
    return <p className="mltrack-Quiet">{context.trans.__('No experiments yet.')}</p>;
  }
  const select = (index: number): void => {
    const id = experiments[index]?.experiment_id;
    if (id) {
      model.select(id);
    }
  };
  return (
    <VirtualList
      count={experiments.length}
      rowHeight={ROW}
      label={context.trans.__('Experiments')}
      testId="mltrack-experiments"
      active={selected}
      rowId={index => prefix + experiments[index].experiment_id}
      onActive={select}
      onKey={(event, index) => {
        if (event.key === 'Enter' && experiments[index]) {
          context.act.openRuns(experiments[index].experiment_id);
        }
      }}
      row={index => {
        const { experiment_id, name, last_update_time } = experiments[index];
        return (
          <div
            id={prefix + experiment_id}
            className="mltrack-ExperimentRow"
            role="option"
            aria-selected={index === selected}
            data-testid="mltrack-experiment-row"
            data-experiment-id={experiment_id}
            title={name}
            onClick={() => select(index)}
            onDoubleClick={() => context.act.openRuns(experiment_id)}
          >
            <span className="mltrack-RunRow-name">{name}</span>
            <span className="mltrack-RunRow-age">
              {last_update_time ? age(last_update_time, now, context.trans) : ''}
            </span>
          </div>
        );
      }}
    />
  );
}
