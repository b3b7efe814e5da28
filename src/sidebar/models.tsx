/** Registered models with versions, stages and aliases. */
import * as React from 'react';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import type { ModelVersion, RegisteredModel } from '../api/types';
import { useModel } from '../components/hooks';
import { Message } from '../components/message';
import { Aliases, Stage } from '../components/chips';
import type { SectionProps } from './runs';

function VersionRow(
  props: SectionProps & { version: ModelVersion }
): React.ReactElement {
  const { model, context, version } = props;
  const { trans, act } = context;
  const runId = version.run_id;
  return (
    <li
      className="mltrack-VersionRow"
      data-testid="mltrack-version-row"
      data-model={version.name}
      data-version={version.version}
      data-run-id={runId}
    >
      {runId ? (
        <button
          type="button"
          className="mltrack-Link"
          title={trans.__('Open the run it came from')}
          onClick={() => act.openRun(runId)}
        >
          {trans.__('Version %1', version.version)}
        </button>
      ) : (
        <span>{trans.__('Version %1', version.version)}</span>
      )}
      <button
        type="button"
        className="mltrack-Plain"
        data-testid="mltrack-stage-button"
        title={trans.__('Set stage')}
        onClick={() => act.setStage(version.name, version.version)}
      >
        <Stage stage={version.current_stage ?? 'None'} />
      </button>
      <button
        type="button"
        className="mltrack-Plain"
        data-testid="mltrack-alias-button"
        title={trans.__('Set alias')}
        onClick={() => act.setAlias(version.name, version.version)}
      >
        <Aliases aliases={model.models.aliases(version)} none={trans.__('+ alias')} />
      </button>
    </li>
  );
}

function ModelRow(
  props: SectionProps & { entry: RegisteredModel }
): React.ReactElement {
  const { model, context, entry } = props;
  const versions = model.models.versions(entry.name);
  const open = versions !== undefined;
  const Caret = open ? caretDownIcon : caretRightIcon;
  const aliases = (entry.aliases ?? []).map(a => a.alias);
  const latest = entry.latest_versions ?? [];
  const newest = latest.reduce((n, v) => Math.max(n, Number(v.version)), 0);
  const shown = latest.find(v => v.current_stage === 'Production') ?? latest[0];
  return (
    <li data-testid="mltrack-model-row" data-model={entry.name}>
      <button
        type="button"
        className="mltrack-ModelRow"
        aria-expanded={open}
        title={entry.description || entry.name}
        onClick={() => void model.models.toggle(entry.name)}
      >
        <Caret.react tag="span" className="mltrack-Caret" />
        <span className="mltrack-RunRow-name">{entry.name}</span>
        {shown?.current_stage && shown.current_stage !== 'None' && (
          <Stage stage={shown.current_stage} />
        )}
        <Aliases aliases={aliases.slice(0, 1)} none="" />
        {aliases.length > 1 && (
          <span className="mltrack-Quiet" title={aliases.join(', ')}>
            +{aliases.length - 1}
          </span>
        )}
        {newest > 0 && (
          <span className="mltrack-RunRow-age">{context.trans.__('v%1', newest)}</span>
        )}
      </button>
      {versions && (
        <ul>
          {versions.map(version => (
            <VersionRow key={version.version} {...props} version={version} />
          ))}
        </ul>
      )}
    </li>
  );
}

/** The section. */
export function ModelsSection(props: SectionProps): React.ReactElement | null {
  const { model, context } = props;
  const { models } = model;
  useModel(model, models);
  const { trans } = context;
  if (model.load.state !== 'ready') {
    return null;
  }
  if (models.load.state === 'error') {
    return (
      <Message
        title={trans.__('Models could not be read')}
        testId="mltrack-models-error"
      >
        <p>{models.load.message}</p>
        <button
          type="button"
          className="mltrack-Button"
          onClick={() => void models.reload()}
        >
          {trans.__('Try Again')}
        </button>
      </Message>
    );
  }
  if (models.models.length === 0) {
    return (
      <p className="mltrack-Quiet">
        {trans.__('No registered models. Select a run with a model, then Register.')}
      </p>
    );
  }
  return (
    <ul className="mltrack-Models" data-testid="mltrack-models">
      {models.models.map(entry => (
        <ModelRow key={entry.name} {...props} entry={entry} />
      ))}
    </ul>
  );
}
