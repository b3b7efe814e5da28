import { expect, test } from '@jupyterlab/galata';
import { Tracker } from './helpers';

test('the link that an MLflow client prints leads to the run', async ({ page, baseURL }) => {
  const tracker = new Tracker(page);
  const { run } = await tracker.ask<{ run: { info: { run_id: string } } }>(
    '/api/2.0/mlflow/runs/create',
    { experiment_id: '0', run_name: 'printed-link' }
  );
  const id = run.info.run_id;
  // As a browser opens it: what stands behind # is not sent, and kept across the redirect to Lab.
  const opened = await page.context().newPage();
  await opened.goto(`${baseURL}/mltrack/#/experiments/0/runs/${id}`);
  const view = opened.locator(`#mltrack-run-${id}`);
  await expect(view).toContainText('printed-link', { timeout: 90000 });
  // A reload does not open it again.
  await expect(opened).toHaveURL(/\/lab[^#]*$/, { timeout: 45000 });
  await expect(view).toBeVisible();
});
