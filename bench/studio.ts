/**
 * Measures the studio in Chromium: `node bench/studio.ts NAME [--only charts|mounts|loading]`. What a live update of six charts takes of
 * the main thread, what stays behind when screens are left, and how long pages take to load. Over loopback, against an agent of its own;
 * the studio has to be built. Writes bench/results/NAME.json; run it on an otherwise idle machine.
 */
import { execFileSync } from 'node:child_process';
import { openBrowser } from '../e2e/browser.ts';
import { anneal, BenchAgent } from './agent.ts';
import { readArguments } from './arguments.ts';
import { writeResults } from './results.ts';
import { measureLiveCharts } from './studio/liveCharts.ts';
import { measureLoading } from './studio/loading.ts';
import { measureMounts, type Screen } from './studio/mounts.ts';
import { writeFinishedRun } from './writtenRuns.ts';

const { names, values } = readArguments({
  command: 'node bench/studio.ts',
  about: 'Measures the studio in a browser; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { only: '' },
});
const steps = 100_000;

const navigation =
  (name: string): Screen['link'] =>
  (page) =>
    page.getByRole('navigation').getByRole('link', { name, exact: true });

const agent = new BenchAgent();
const browser = await openBrowser();
try {
  execFileSync(process.execPath, [anneal, 'init', 'harbour'], {
    cwd: agent.workspace,
    env: agent.environment,
    stdio: 'ignore',
  });
  const [first, second] = ['first', 'second'].map((id) => writeFinishedRun(agent.workspace, id, steps)) as [
    string,
    string,
  ];
  await agent.start();
  const run = `/run?id=${encodeURIComponent(first)}`;
  const compare = `/compare?runs=${encodeURIComponent(first)},${encodeURIComponent(second)}`;
  const screens: Screen[] = [
    {
      name: 'run',
      from: '/',
      link: (page) => page.getByRole('link', { name: /^first/ }),
      sign: (page) => page.getByRole('img', { name: /^Memory/ }),
    },
    {
      name: 'recipes',
      from: '/host',
      link: navigation('Recipes'),
      sign: (page) => page.locator('.monaco-editor .view-line').getByText('seed', { exact: true }),
    },
    { name: 'data', from: '/host', link: navigation('Data'), sign: (page) => page.getByRole('table').first() },
    { name: 'host', from: '/', link: navigation('Host'), sign: (page) => page.getByText('tokenizer').first() },
  ];
  const recipe = encodeURIComponent('harbour/recipe.yaml');
  const paths = {
    index: '/',
    run,
    compare,
    recipes: `/recipes?recipe=${recipe}`,
    data: `/data?recipe=${recipe}`,
    chat: '/chat',
    models: '/models',
    host: '/host',
    settings: '/settings',
  };
  const wants = (part: string) => values.only === '' || values.only === part;
  const result = {
    browser: `Chromium ${browser.version()}`,
    ...(wants('charts') && { charts: await measureLiveCharts(browser, agent) }),
    ...(wants('loading') && { loading: await measureLoading(browser, agent, paths) }),
    ...(wants('mounts') && { mounts: await measureMounts(browser, agent, screens) }),
  };
  console.log(JSON.stringify(result, null, 2));
  console.log(writeResults(names[0] as string, result));
} finally {
  await browser.close();
  await agent.remove();
}
