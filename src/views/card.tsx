/** The card below a tracked cell: what happened, in one to three lines. */
import * as React from 'react';
import { useModel, useNow } from '../components/hooks';
import { StatusIcon } from '../components/status';
import { cardFacts, type CardFacts, type Fact } from '../models/card';
import type { IContext } from '../models/context';
import { statusWord } from '../models/format';
import type { RunSetModel } from '../models/runSet';

/** Facts beyond these are on the run's page. */
const METRICS = 4;
const PARAMS = 6;
/** Compared with so many runs of the same experiment. */
const RECENT = 50;

function Facts(props: {
  facts: readonly Fact[];
  most: number;
  kind: string;
  context: IContext;
}): React.ReactElement {
  const { facts, most, kind, context } = props;
  const { trans } = context;
  const more = facts.length - most;
  return (
    <>
      {facts.slice(0, most).map(({ key, value, inferred }) => (
        <span
          key={key}
          className={`mltrack-Fact mltrack-mod-${kind}${inferred ? ' mltrack-mod-inferred' : ''}`}
          title={
            inferred
              ? trans.__('%1 = %2 (inferred from the cell)', key, value)
              : `${key} = ${value}`
          }
        >
          <span className="mltrack-Fact-key">{key}</span>
          <span className="mltrack-Fact-value">{value}</span>
          {inferred && (
            <span className="mltrack-Fact-mark" aria-label={trans.__('inferred')}>
              ∗
            </span>
          )}
        </span>
      ))}
      {more > 0 && <span className="mltrack-Quiet">{trans.__('+%1 more', more)}</span>}
    </>
  );
}

async function compareRecent(facts: CardFacts, context: IContext): Promise<void> {
  let recent: string[] = [];
  try {
    const page = await context.client.table({
      experiment_ids: [facts.experimentId],
      max_results: RECENT,
      order_by: ['attributes.start_time DESC'],
      columns: []
    });
    recent = page.run_ids ?? [];
  } catch {
    // The comparison itself will say what is wrong with the server.
    recent = [];
  }
  context.act.compare([...new Set([facts.runId, ...recent])]);
}

function Links(props: { facts: CardFacts; context: IContext }): React.ReactElement {
  const { facts, context } = props;
  const { trans, act } = context;
  const link = (testId: string, text: string, run: () => void): React.ReactElement => (
    <button type="button" className="mltrack-Link" data-testid={testId} onClick={run}>
      {text}
    </button>
  );
  return (
    <span className="mltrack-Card-links">
      {link('mltrack-card-open', trans.__('Open Run'), () => act.openRun(facts.runId))}
      {link(
        'mltrack-card-compare',
        trans.__('Compare'),
        () => void compareRecent(facts, context)
      )}
      {facts.hasModel &&
        link('mltrack-card-register', trans.__('Register'), () =>
          act.register(facts.runId)
        )}
    </span>
  );
}

/** The card of one run. */
export function Card(props: {
  facts: CardFacts;
  context: IContext;
}): React.ReactElement {
  const { facts, context } = props;
  const { trans } = context;
  return (
    <div
      className={`mltrack-Card mltrack-mod-${facts.status.toLowerCase()}`}
      role="group"
      aria-label={trans.__('Run %1', facts.name)}
      data-testid="mltrack-card"
      data-run-id={facts.runId}
      data-status={facts.status}
    >
      <div className="mltrack-Card-line">
        <StatusIcon status={facts.status} trans={trans} reason={facts.reason} />
        <strong>{facts.name}</strong>
        <span className="mltrack-Quiet" role="status">
          {statusWord(facts.status, trans)} · {facts.duration}
        </span>
        <Facts facts={facts.metrics} most={METRICS} kind="metric" context={context} />
        <Links facts={facts} context={context} />
      </div>
      {facts.params.length > 0 && (
        <div className="mltrack-Card-line">
          <Facts facts={facts.params} most={PARAMS} kind="param" context={context} />
        </div>
      )}
      {facts.reason && (
        <div
          className="mltrack-Card-line mltrack-Quiet"
          data-testid="mltrack-card-reason"
        >
          {facts.reason}
        </div>
      )}
      {facts.warnings && <div className="mltrack-Card-warning">{facts.warnings}</div>}
    </div>
  );
}

/** The cards of a set of runs, alive. */
export function Cards(props: {
  model: RunSetModel;
  context: IContext;
}): React.ReactElement {
  const { model, context } = props;
  useModel(model);
  const running = model.table.statuses.includes('RUNNING');
  const now = useNow(running ? 1000 : 60_000);
  return (
    <>
      {model.table.ids.map((id, row) => (
        <Card key={id} facts={cardFacts(model.table, row, now)} context={context} />
      ))}
    </>
  );
}
