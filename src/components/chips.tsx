/** Stages and aliases. */
import * as React from 'react';

/** The stage of a version. */
export function Stage(props: { stage: string }): React.ReactElement {
  return (
    <span className={`mltrack-Chip mltrack-mod-${props.stage.toLowerCase()}`}>
      {props.stage}
    </span>
  );
}

/** The aliases of a version, or a word for none. */
export function Aliases(props: {
  aliases: readonly string[];
  none: string;
}): React.ReactElement {
  return (
    <>
      {props.aliases.map(alias => (
        <span key={alias} className="mltrack-Chip mltrack-mod-alias">
          @{alias}
        </span>
      ))}
      {props.aliases.length === 0 && props.none && (
        <span className="mltrack-Chip mltrack-mod-none">{props.none}</span>
      )}
    </>
  );
}
