/** The parts of a run's page. */
import * as React from 'react';
import { Aliases, Stage } from '../components/chips';
import { Sparkline } from '../components/sparkline';
import type { IContext } from '../models/context';
import { longNumber } from '../models/format';
import type { RunPageModel } from '../models/runPage';
import { toNumber } from '../models/table';
import { parseModel } from '../models/tags';

/** What the parts are given. */
export interface RunPartProps {
  readonly model: RunPageModel;
  readonly context: IContext;
}

/** A part of the page with a heading. */
export function Part(props: {
  title: string;
  testId: string;
  children: React.ReactNode;
}): React.ReactElement {
  const id = React.useId();
  return (
    <section aria-labelledby={id} data-testid={props.testId}>
      <h2 id={id}>{props.title}</h2>
      {props.children}
    </section>
  );
}

/** Keys and values. */
function Pairs(props: {
  pairs: readonly { key: string; value?: string }[];
  none: string;
}): React.ReactElement {
  if (props.pairs.length === 0) {
    return <p className="mltrack-Quiet">{props.none}</p>;
  }
  return (
    <table className="mltrack-Pairs">
      <tbody>
        {props.pairs.map(({ key, value }) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The params. */
export function Params({ model, context }: RunPartProps): React.ReactElement {
  const params = [...(model.run?.data?.params ?? [])];
  params.sort((a, b) => a.key.localeCompare(b.key));
  return (
    <Part title={context.trans.__('Params')} testId="mltrack-run-params">
      <Pairs pairs={params} none={context.trans.__('No params.')} />
    </Part>
  );
}

/** The metrics with their course. */
export function Metrics({ model, context }: RunPartProps): React.ReactElement {
  const metrics = model.run?.data?.metrics ?? [];
  const { trans } = context;
  return (
    <Part title={trans.__('Metrics')} testId="mltrack-run-metrics">
      {metrics.length === 0 ? (
        <p className="mltrack-Quiet">{trans.__('No metrics.')}</p>
      ) : (
        <table className="mltrack-Pairs">
          <tbody>
            {metrics.map(metric => (
              <tr key={metric.key}>
                <th scope="row">{metric.key}</th>
                <td className="mltrack-mod-number">
                  {longNumber(toNumber(metric.value))}
                </td>
                <td>
                  <Sparkline points={model.history(metric.key)} />
                </td>
                <td className="mltrack-Quiet">
                  {metric.step ? trans.__('step %1', metric.step) : ''}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Part>
  );
}

/** The tags that people set, and the description. */
export function Tags({ model, context }: RunPartProps): React.ReactElement {
  const { trans } = context;
  const tags = (model.run?.data?.tags ?? []).filter(
    tag => !/^(mlflow|mltrack)\./.test(tag.key)
  );
  const note = model.tag('mlflow.note.content');
  return (
    <Part title={trans.__('Tags')} testId="mltrack-run-tags">
      {note && <p className="mltrack-Note">{note}</p>}
      <Pairs pairs={tags} none={trans.__('No tags.')} />
    </Part>
  );
}

/** What went wrong, what was executed, what should be known. */
export function Texts({ model, context }: RunPartProps): React.ReactElement {
  const { trans } = context;
  const texts: [string, string, string][] = [
    [trans.__('Traceback'), 'mltrack-run-error', model.tag('mltrack.error')],
    [trans.__('Warnings'), 'mltrack-run-warnings', model.tag('mltrack.warnings')],
    [trans.__('Code'), 'mltrack-run-code', model.tag('mltrack.code')]
  ];
  return (
    <>
      {texts.map(([title, testId, text]) =>
        text ? (
          <Part key={testId} title={title} testId={testId}>
            <pre>{text}</pre>
          </Part>
        ) : null
      )}
    </>
  );
}

/** The model of the run, and the versions registered from it. */
export function Model({ model, context }: RunPartProps): React.ReactElement {
  const { trans, act } = context;
  const logged = parseModel(model.tag('mltrack.model'));
  return (
    <Part title={trans.__('Model')} testId="mltrack-run-model">
      {logged ? (
        <p>
          {logged.kind && <>{logged.kind} · </>}
          <code>{`runs:/${model.runId}/${logged.path}`}</code>
        </p>
      ) : (
        <p className="mltrack-Quiet">{trans.__('No model was logged.')}</p>
      )}
      {model.versions.length > 0 && (
        <ul className="mltrack-Plainlist">
          {model.versions.map(version => (
            <li key={`${version.name}/${version.version}`}>
              {trans.__('%1, version %2', version.name, version.version)}{' '}
              <Stage stage={version.current_stage ?? 'None'} />
              <Aliases aliases={version.aliases ?? []} none="" />
            </li>
          ))}
        </ul>
      )}
      {logged && (
        <button
          type="button"
          className="mltrack-Button mltrack-mod-accept"
          data-testid="mltrack-register-button"
          onClick={() => act.register(model.runId)}
        >
          {trans.__('Register')}
        </button>
      )}
    </Part>
  );
}
