/** A box for MLflow's filter grammar; what the server does not understand is said below it. */
import * as React from 'react';
import type { ITranslate } from '../models/strings';
import { useQuiet } from './hooks';

/** Typing pauses this long before the server is asked. */
const QUIET_MS = 300;

/** The box. */
export function FilterBox(props: {
  value: string;
  error: string;
  trans: ITranslate;
  onChange(filter: string): void;
}): React.ReactElement {
  const { value, error, trans, onChange } = props;
  const [text, setText] = React.useState(value);
  const quiet = useQuiet(text, QUIET_MS);
  const sent = React.useRef(value);
  const id = React.useId();
  React.useEffect(() => {
    if (quiet !== sent.current) {
      sent.current = quiet;
      onChange(quiet.trim());
    }
  }, [quiet, onChange]);
  return (
    <div className="mltrack-Filter">
      <input
        type="search"
        className="mltrack-Input"
        data-testid="mltrack-filter"
        value={text}
        spellCheck={false}
        placeholder={trans.__("metrics.acc > 0.9 and params.depth = '4'")}
        aria-label={trans.__('Filter runs')}
        aria-invalid={error !== ''}
        aria-describedby={id}
        onChange={event => setText(event.target.value)}
      />
      <div
        id={id}
        className="mltrack-Filter-error"
        role="status"
        data-testid="mltrack-filter-error"
      >
        {error}
      </div>
    </div>
  );
}
