import { expect, test } from '@jupyterlab/galata';
import * as fs from 'fs';
import * as path from 'path';
import { notebook, Tracker } from './helpers';

const ROOT = path.resolve(__dirname, '../..');
const PAGE = fs.readFileSync(path.join(ROOT, 'docs/quickstart.md'), 'utf8');
/** The cells of the page, as they stand there. */
const CELLS = [...PAGE.matchAll(/^```python\n([^]*?)^```$/gm)].map(found => found[1].trimEnd());
const EXAMPLE = path.join(ROOT, 'examples/quickstart.ipynb');

interface Output {
  output_type: string;
  name?: string;
  text?: string | string[];
  data?: Record<string, string | string[]>;
}

interface Run {
  info: { run_id: string; run_name: string; experiment_id: string };
  data: { metrics: { key: string; value: number }[] };
}

const accuracy = (run: Run) => run.data.metrics.find(({ key }) => key === 'accuracy')!.value;

/** What a typed text looks like in the outputs of a cell. */
const textOf = (output: Output) =>
  [output.text ?? output.data?.['text/plain'] ?? ''].flat().join('');

for (const [where, url] of [
  ['an empty folder', process.env.EMPTY_URL],
  ['a folder with older runs', process.env.OLDER_URL]
] as const) {
  test.describe(`in ${where}`, () => {
    test.use({ baseURL: url });

    test('the cells of docs/quickstart.md work as they stand there', async ({ page, tmpPath }) => {
      const tracker = new Tracker(page);
      const mine = `${tmpPath}/mine.ipynb`;
      expect(CELLS.length).toBeGreaterThan(4);
      const cells = [...CELLS, '%mltrack status', '%mltrack status'];
      await page.contents.uploadContent(notebook(...cells), 'text', mine);
      await page.notebook.openByPath(mine);
      await page.notebook.activate('mine.ipynb');
      const sidebar = await tracker.openSidebar();
      for (let i = 0; i < cells.length - 1; i++) {
        await page.notebook.runCell(i, true);
      }
      await page.screenshot({ path: `test-results/q-${new URL(url!).port}.png` });

      // The run that was registered is the best one of this notebook, and of no other experiment.
      const { model_version } = await tracker.ask<{ model_version: { run_id: string } }>(
        '/api/2.0/mlflow/registered-models/alias?name=iris-tree&alias=champion'
      );
      const { experiment } = await tracker.ask<{ experiment: { experiment_id: string } }>(
        `/api/2.0/mlflow/experiments/get-by-name?experiment_name=${encodeURIComponent(mine)}`
      );
      const { runs } = await tracker.ask<{ runs: Run[] }>('/api/2.0/mlflow/runs/search', {
        experiment_ids: [experiment.experiment_id]
      });
      expect(runs.map(run => run.info.run_name).sort()).toEqual(['by-hand', 'first-tree']);
      const [best] = runs.sort((a, b) => accuracy(b) - accuracy(a));
      expect(best.info.run_name).toBe('first-tree');
      expect(model_version.run_id).toBe(best.info.run_id);
      // Both are in one list of the sidebar, below the name of the notebook.
      await sidebar.getByTestId('mltrack-experiment-row').filter({ hasText: mine }).click();
      await expect(tracker.run('first-tree')).toBeVisible();
      await expect(tracker.run('by-hand')).toBeVisible();

      // A new name is followed.
      await page.menu.clickMenuItem('File>Rename Notebook…');
      const dialog = page.locator('.jp-Dialog');
      await dialog.locator('input').first().fill('renamed.ipynb');
      await dialog.getByRole('button', { name: 'Rename' }).click();
      await expect(dialog).toHaveCount(0);
      await page.notebook.runCell(cells.length - 1, true);
      await page.notebook.save();

      const outputs = await outputsOf(page, `${tmpPath}/renamed.ipynb`);
      expect(problemsIn(outputs)).toEqual([]);
      const [last] = outputs.slice(-1);
      expect(last.map(textOf).join('')).toContain(`${tmpPath}/renamed.ipynb`);
      expect(outputs[outputs.length - 2].map(textOf).join('')).toContain(mine);
    });

    test('the cells of examples/quickstart.ipynb do, too', async ({ page, tmpPath }) => {
      const tracker = new Tracker(page);
      const example = `${tmpPath}/quickstart.ipynb`;
      await page.contents.uploadFile(EXAMPLE, example);
      await page.notebook.openByPath(example);
      await page.notebook.activate('quickstart.ipynb');
      await page.menu.clickMenuItem('Run>Run All Cells');
      const last = page.locator('.jp-Notebook .jp-Cell').last().locator('.jp-OutputArea-output');
      await expect(last).toContainText('as it was logged', { timeout: 180000 });
      await page.notebook.save();
      const outputs = await outputsOf(page, example);
      expect(problemsIn(outputs)).toEqual([]);
      const { experiment } = await tracker.ask<{ experiment: { experiment_id: string } }>(
        '/api/2.0/mlflow/experiments/get-by-name?experiment_name=iris-trees'
      );
      const { runs } = await tracker.ask<{ runs: Run[] }>('/api/2.0/mlflow/runs/search', {
        experiment_ids: [experiment.experiment_id],
        order_by: ['metrics.accuracy DESC']
      });
      expect(runs.length).toBe(100);
      const { model_version } = await tracker.ask<{ model_version: { run_id: string } }>(
        '/api/2.0/mlflow/registered-models/alias?name=iris-tree&alias=champion'
      );
      const champion = runs.find(run => run.info.run_id === model_version.run_id)!;
      expect(accuracy(champion)).toBe(accuracy(runs[0]));
    });

    test('code that uses MLflow appears in the sidebar', async ({ page, tmpPath }) => {
      const tracker = new Tracker(page);
      const older = `${tmpPath}/older-code.ipynb`;
      const source = [
        'import mlflow',
        'with mlflow.start_run(run_name="by-mlflow"):',
        '    mlflow.log_metric("accuracy", 0.75)'
      ].join('\n');
      await page.contents.uploadContent(notebook(source), 'text', older);
      await page.notebook.openByPath(older);
      await page.notebook.activate('older-code.ipynb');
      const sidebar = await tracker.openSidebar();
      await page.notebook.runCell(0, true);
      await sidebar.getByTestId('mltrack-experiment-row').filter({ hasText: 'older-code' }).click();
      await expect(tracker.run('by-mlflow')).toContainText('0.75');
      await page.screenshot({ path: `test-results/q-mlflow-${new URL(url!).port}.png` });
    });
  });
}

/** The outputs of the code cells of a notebook, as they were saved. */
async function outputsOf(page: Tracker['page'], path: string): Promise<Output[][]> {
  const { content } = await page.evaluate(async path => {
    const answer = await fetch(`/api/contents/${encodeURI(path)}`);
    return answer.json();
  }, path);
  const code = content.cells.filter((cell: { cell_type: string }) => cell.cell_type === 'code');
  return code.map((cell: { outputs: Output[] }) => cell.outputs);
}

/** What went wrong in some cells: errors, and what magics say of a wrong use. */
function problemsIn(outputs: Output[][]): string[] {
  return outputs
    .flat()
    .filter(output => output.output_type === 'error' || output.name === 'stderr')
    .map(output => JSON.stringify(output));
}
