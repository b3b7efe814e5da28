import { expect, test } from '@jupyterlab/galata';
import { notebook, Tracker } from './helpers';

test('an empty store shows the first step', async ({ page }) => {
  const sidebar = await new Tracker(page).openSidebar();
  await expect(sidebar.getByTestId('mltrack-first-step')).toContainText('%%track');
  await page.screenshot({ path: 'test-results/0-empty.png' });
});

test('a cell that fails, one with a typo, and a wrong filter say what was wrong', async ({
  page,
  tmpPath
}) => {
  const tracker = new Tracker(page);
  const path = `${tmpPath}/wrong.ipynb`;
  const wrong = notebook(
    '%%track -e wrong -n fails\nrate = 0.1\nloss = 1 / 0',
    '%%track --nmae typo\nx = 1',
    '%%track -e wrong -n <img/src/onerror=alert(1)>\nx = 1'
  );
  await page.contents.uploadContent(wrong, 'text', path);
  await page.notebook.openByPath(path);
  await page.notebook.activate('wrong.ipynb');
  await page.theme.setDarkTheme();
  const sidebar = await tracker.openSidebar();
  const output = (i: number) => page.locator('.jp-Cell').nth(i).locator('.jp-OutputArea');

  await page.notebook.runCell(0, true);
  await expect(output(0).getByTestId('mltrack-card')).toHaveAttribute('data-status', 'FAILED');
  await expect(output(0)).toContainText('ZeroDivisionError');
  await page.notebook.runCell(1, true);
  await expect(output(1)).toContainText('--name');
  await page.notebook.runCell(2, true);
  await expect(output(2).getByTestId('mltrack-card')).toContainText('<img/src/onerror=alert(1)>');
  expect(await page.locator('[onerror]').count()).toBe(0);

  await sidebar.getByTestId('mltrack-experiment-row').filter({ hasText: 'wrong' }).click();
  await expect(tracker.run('fails')).toBeVisible();
  await expect(sidebar.getByTestId('mltrack-run-row')).toHaveCount(2);
  const filter = sidebar.getByTestId('mltrack-filter');
  await filter.fill('metrics.loss >');
  await filter.press('Enter');
  await expect(sidebar.getByTestId('mltrack-filter-error')).toContainText('expected a value');
  await page.screenshot({ path: 'test-results/0-wrong-dark.png' });
});

test('a run that another process writes appears without a click', async ({ page, tmpPath }) => {
  const tracker = new Tracker(page);
  const { experiment_id } = await tracker.ask<{ experiment_id: string }>(
    '/api/2.0/mlflow/experiments/create',
    { name: 'elsewhere' }
  );
  const path = `${tmpPath}/elsewhere.ipynb`;
  const script = [
    'import mltrack_jupyter as m',
    `with m.start_run(experiment_id="${experiment_id}", run_name="from-a-script"):`,
    '    m.log_metric("acc", 0.75)'
  ].join('\n');
  const source = `import subprocess, sys\nsubprocess.run([sys.executable, "-c", ${JSON.stringify(script)}], check=True)`;
  await page.contents.uploadContent(notebook(source), 'text', path);
  await page.notebook.openByPath(path);
  await page.notebook.activate('elsewhere.ipynb');
  const sidebar = await tracker.openSidebar();
  await sidebar.getByTestId('mltrack-experiment-row').filter({ hasText: 'elsewhere' }).click();
  await page.notebook.runCell(0, true);
  await expect(tracker.run('from-a-script')).toContainText('0.75');
});
