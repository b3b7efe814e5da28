/** The artifacts of a run: a tree, with a preview where that is safe. */
import * as React from 'react';
import { caretDownIcon, caretRightIcon, downloadIcon } from '@jupyterlab/ui-components';
import { messageOf } from '../api/errors';
import type { FileInfo } from '../api/types';
import { imageType, previewOf, textOf, type Preview } from '../models/artifact';
import type { IContext } from '../models/context';
import { fileSize } from '../models/format';
import type { RunPageModel } from '../models/runPage';

interface Props {
  readonly model: RunPageModel;
  readonly context: IContext;
}

interface Shown {
  readonly url?: string;
  readonly text?: string;
}

async function load(props: Props & { path: string; kind: Preview }): Promise<Shown> {
  const { model, context, path, kind } = props;
  const bytes = await context.client.artifactBytes(model.runId, path);
  if (kind === 'text') {
    return { text: textOf(bytes) };
  }
  const type = imageType(bytes);
  if (!type) {
    return { text: context.trans.__('This is not a PNG or JPEG image.') };
  }
  // A fixed type: whatever the bytes are, the browser takes them for a picture or nothing.
  return { url: URL.createObjectURL(new Blob([bytes], { type })) };
}

function PreviewBox(
  props: Props & { path: string; kind: Preview }
): React.ReactElement {
  const { model, context, path, kind } = props;
  const [shown, setShown] = React.useState<Shown>({
    text: context.trans.__('Loading…')
  });
  React.useEffect(() => {
    let url: string | undefined;
    let gone = false;
    load({ model, context, path, kind })
      .catch((error: unknown): Shown => ({ text: messageOf(error) }))
      .then(result => {
        url = result.url;
        if (gone && url) {
          URL.revokeObjectURL(url);
        } else if (!gone) {
          setShown(result);
        }
      });
    return () => {
      gone = true;
      if (url) {
        URL.revokeObjectURL(url);
      }
    };
  }, [model, context, path, kind]);
  return shown.url ? (
    <img
      className="mltrack-Artifact-image"
      data-testid="mltrack-artifact-image"
      src={shown.url}
      alt={path}
    />
  ) : (
    <pre className="mltrack-Artifact-text">{shown.text}</pre>
  );
}

function FileRow(props: Props & { file: FileInfo }): React.ReactElement {
  const { model, context, file } = props;
  const { trans, client } = context;
  const [open, setOpen] = React.useState(false);
  const folder = file.is_dir ? model.folder(file.path) : undefined;
  const kind = file.is_dir ? 'none' : previewOf(file.path, file.file_size);
  const expanded = file.is_dir ? folder !== undefined : open;
  const canOpen = file.is_dir || kind !== 'none';
  const Caret = expanded ? caretDownIcon : caretRightIcon;
  const name = file.path.split('/').at(-1) ?? file.path;
  const toggle = (): void => {
    if (!file.is_dir) {
      setOpen(!open);
    } else if (folder) {
      model.closeFolder(file.path);
    } else {
      void model.openFolder(file.path);
    }
  };
  return (
    <li data-testid="mltrack-artifact" data-path={file.path}>
      <div className="mltrack-Artifact">
        <button
          type="button"
          className="mltrack-Plain"
          aria-expanded={canOpen ? expanded : undefined}
          disabled={!canOpen}
          onClick={toggle}
        >
          {canOpen ? (
            <Caret.react tag="span" className="mltrack-Caret" />
          ) : (
            <span className="mltrack-Caret" />
          )}
          {file.is_dir ? `${name}/` : name}
        </button>
        {!file.is_dir && (
          <>
            <span className="mltrack-Quiet">{fileSize(file.file_size ?? 0)}</span>
            <a
              href={client.artifactUrl(model.runId, file.path)}
              download={name}
              title={trans.__('Download %1', name)}
              aria-label={trans.__('Download %1', name)}
              data-testid="mltrack-artifact-download"
            >
              <downloadIcon.react tag="span" className="mltrack-Caret" />
            </a>
          </>
        )}
      </div>
      {folder && <Folder {...props} path={file.path} />}
      {open && kind !== 'none' && (
        <PreviewBox {...props} path={file.path} kind={kind} />
      )}
    </li>
  );
}

function Folder(props: Props & { path: string }): React.ReactElement {
  const { model, context, path } = props;
  const folder = model.folder(path);
  if (!folder || folder.error) {
    return (
      <p className="mltrack-Quiet">{folder?.error ?? context.trans.__('Loading…')}</p>
    );
  }
  if (folder.files.length === 0) {
    return <p className="mltrack-Quiet">{context.trans.__('No artifacts.')}</p>;
  }
  return (
    <ul className="mltrack-Artifacts">
      {folder.files.map(file => (
        <FileRow key={file.path} model={model} context={context} file={file} />
      ))}
    </ul>
  );
}

/** The tree from its root. */
export function Artifacts(props: Props): React.ReactElement {
  return <Folder {...props} path="" />;
}
