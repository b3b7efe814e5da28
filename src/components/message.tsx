/** What is shown where there is nothing else to show. */
import * as React from 'react';
import type { Load } from '../models/observable';
import type { ITranslate } from '../models/strings';

/** A quiet text, with something to do about it. */
export function Message(props: {
  title: string;
  testId?: string;
  code?: string;
  children?: React.ReactNode;
  action?: React.ReactNode;
}): React.ReactElement {
  return (
    <div className="mltrack-Message" data-testid={props.testId}>
      <strong>{props.title}</strong>
      {props.children}
      {props.code && <pre>{props.code}</pre>}
      {props.action}
    </div>
  );
}

/** Says what has gone wrong; null while nothing has. */
export function LoadMessage(props: {
  load: Load;
  trans: ITranslate;
  retry(): void;
}): React.ReactElement | null {
  const { load, trans } = props;
  if (load.state === 'loading') {
    return (
      <p className="mltrack-Quiet" role="status">
        {trans.__('Loading…')}
      </p>
    );
  }
  if (load.state === 'ready') {
    return null;
  }
  const missing = load.state === 'missing';
  return (
    <div role="alert">
      <Message
        testId={missing ? 'mltrack-no-server' : 'mltrack-error'}
        title={
          missing
            ? trans.__('The tracking server does not answer')
            : trans.__('That did not work')
        }
        action={
          <button type="button" className="mltrack-Button" onClick={props.retry}>
            {trans.__('Try Again')}
          </button>
        }
        code={missing ? 'jupyter server extension enable mltrack_jupyter' : undefined}
      >
        <p>
          {missing
            ? trans.__(
                'Its Jupyter server extension is not enabled here. To enable it:'
              )
            : load.message}
        </p>
      </Message>
    </div>
  );
}

/** An argument, for in a message two percent signs mean one. */
const MAGIC = '%%track';

/** The first step, for those who have no run yet. */
export function FirstStep(props: { trans: ITranslate }): React.ReactElement {
  const { trans } = props;
  return (
    <Message
      testId="mltrack-first-step"
      title={trans.__('No runs yet')}
      code={`${MAGIC}\nmodel.fit(X, y)`}
    >
      <p>{trans.__('Write %1 above a cell and run it. It will appear here.', MAGIC)}</p>
    </Message>
  );
}
