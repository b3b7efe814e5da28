/** Dialogs of the registry: register, set a stage, set aliases. */
import { showForm } from '../components/formDialog';
import type { IContext } from '../models/context';
import { quoted, STAGES } from '../models/modelList';

/** Register the model of a run; resolves with whether it was done. */
export async function registerModel(
  runId: string,
  context: IContext
): Promise<boolean> {
  const { client, trans } = context;
  let names: string[] = [];
  try {
    names = (await client.models()).map(model => model.name);
  } catch {
    // Suggestions only: registering itself will say what is wrong.
    names = [];
  }
  return showForm({
    title: trans.__('Register Model'),
    text: trans.__(
      'The model of this run becomes the next version of a registered model.'
    ),
    accept: trans.__('Register'),
    trans,
    fields: [
      {
        name: 'name',
        label: trans.__('Model name'),
        kind: 'text',
        options: names,
        required: true
      },
      { name: 'alias', label: trans.__('Alias (optional)'), kind: 'text' },
      { name: 'stage', label: trans.__('Stage'), kind: 'choice', options: STAGES }
    ],
    submit: async ({ name, alias, stage }) => {
      await client.register({
        name,
        run_id: runId,
        ...(alias ? { alias } : {}),
        ...(stage !== 'None' ? { stage } : {})
      });
    }
  });
}

/** Move a version to another stage. */
export async function setStage(
  name: string,
  version: string,
  context: IContext
): Promise<boolean> {
  const { client, trans } = context;
  const found = await client.versions(`name=${quoted(name)}`);
  const current = found.find(v => v.version === version)?.current_stage ?? 'None';
  return showForm({
    title: trans.__('Set Stage of %1, Version %2', name, version),
    accept: trans.__('Set Stage'),
    trans,
    fields: [
      {
        name: 'stage',
        label: trans.__('Stage'),
        kind: 'choice',
        options: STAGES,
        value: current
      },
      {
        name: 'archive',
        label: trans.__('Archive the versions that are in this stage now'),
        kind: 'flag',
        value: true
      }
    ],
    submit: ({ stage, archive }) =>
      client.setStage({
        name,
        version,
        stage,
        // The server refuses to archive for the stages that hold no version in use.
        archive_existing_versions:
          archive === 'true' && /^(Staging|Production)$/.test(stage)
      })
  });
}

/** Give a version an alias, or take some away. */
export async function setAlias(
  name: string,
  version: string,
  context: IContext
): Promise<boolean> {
  const { client, trans } = context;
  const model = (await client.models()).find(m => m.name === name);
  const all = model?.aliases ?? [];
  const own = all.filter(a => a.version === version).map(a => a.alias);
  return showForm({
    title: trans.__('Set Aliases of %1, Version %2', name, version),
    accept: trans.__('Set'),
    trans,
    fields: [
      ...own.map(alias => ({
        name: `keep ${alias}`,
        label: trans.__('Keep @%1', alias),
        kind: 'flag' as const,
        value: true
      })),
      {
        name: 'alias',
        label: trans.__('New alias; it moves here if another version has it'),
        kind: 'text',
        options: [...new Set(['champion', 'challenger', ...all.map(a => a.alias)])]
      }
    ],
    submit: async values => {
      for (const alias of own.filter(one => !values[`keep ${one}`])) {
        await client.deleteAlias(name, alias);
      }
      if (values.alias) {
        await client.setAlias(name, values.alias.replace(/^@/, ''), version);
      }
    }
  });
}
