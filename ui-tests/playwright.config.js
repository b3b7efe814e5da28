const base = require('@jupyterlab/galata/lib/playwright-config');
const { existsSync } = require('fs');

const port = Number(process.env.UI_TEST_PORT || '8931');
process.env.TARGET_URL ??= `http://127.0.0.1:${port}`;
// Two more servers, for what must not depend on the tests before: an empty folder, one with older runs.
process.env.EMPTY_URL = `http://127.0.0.1:${port + 1}`;
process.env.OLDER_URL = `http://127.0.0.1:${port + 2}`;
const server = (url, env = {}) => ({
  command: `jupyter lab --config jupyter_server_test_config.py --ServerApp.port=${new URL(url).port}`,
  url: `${url}/lab`,
  timeout: 120000,
  reuseExistingServer: false,
  stdout: 'pipe',
  env
});
const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const chromium = process.env.CHROMIUM || candidates.find(existsSync);

module.exports = {
  ...base,
  testDir: './tests',
  timeout: 240000,
  workers: 1,
  retries: 0,
  reporter: [['list']],
  outputDir: 'test-results',
  use: {
    ...base.use,
    baseURL: process.env.TARGET_URL,
    actionTimeout: 20000,
    viewport: { width: 1400, height: 1000 },
    video: 'off', // would want Playwright's own ffmpeg
    trace: 'off',
    browserName: 'chromium',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  },
  webServer: [
    server(process.env.TARGET_URL),
    server(process.env.EMPTY_URL),
    server(process.env.OLDER_URL, { UI_TEST_OLDER: '1' })
  ]
};
