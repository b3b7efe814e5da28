/** The status of a run as a shape and a colour: never by colour alone. */
import * as React from 'react';
import { statusWord, withReason } from '../models/format';
import type { ITranslate } from '../models/strings';

const SHAPES: Record<string, React.ReactElement> = {
  FINISHED: <path d="M2.5 8.5 6.2 12 13.5 4" />,
  FAILED: <path d="M3.5 3.5l9 9m0-9-9 9" />,
  KILLED: <path d="M4 4h8v8H4z" />,
  RUNNING: <circle className="mltrack-mod-solid" cx="8" cy="8" r="4.5" />,
  SCHEDULED: <circle cx="8" cy="8" r="5" strokeDasharray="2.5 2.5" />
};

/** The icon of a status, with its word for those who cannot see it. */
export function StatusIcon(props: {
  status: string;
  trans: ITranslate;
  /** Why the run has it, where that was told. */
  reason?: string;
}): React.ReactElement {
  const word = withReason(statusWord(props.status, props.trans), props.reason);
  return (
    <svg
      className={`mltrack-Status mltrack-mod-${props.status.toLowerCase()}`}
      viewBox="0 0 16 16"
      role="img"
      aria-label={word}
    >
      <title>{word}</title>
      {SHAPES[props.status] ?? <circle cx="8" cy="8" r="1.5" />}
    </svg>
  );
}
