/** What `anneal serve` prints: the link, the way there from another machine, and the unit that systemd runs it by. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { systemdUnit } from '../src/commands/systemdUnit.ts';
import { annealIn, annealPath, env, temporaryFolder } from './helpers/anneal.ts';

test('the link, and the line of ssh to type on another machine', async () => {
  const folder = temporaryFolder();
  const agent = spawn(process.execPath, [annealPath, 'serve', folder, '--port', '0'], {
    env: { ...env, XDG_DATA_HOME: join(folder, 'state') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void agent.kill('SIGKILL'));
  const lines: string[] = [];
  for await (const line of createInterface(agent.stdout)) {
    lines.push(line);
    if (line.startsWith('Ctrl-C')) break;
  }
  const port = /^Open the studio: http:\/\/127\.0\.0\.1:(\d+)\/pair#[\w-]+$/.exec(lines[0] as string)?.[1];
  expect(lines[1]).toMatch(/^The link pairs one browser, once, within 15 minutes\. Another: npx anneal pair /);
  const there = `${userInfo().username}@${hostname()}`;
  expect(lines[2]).toBe(`From another machine: ssh -L ${port}:127.0.0.1:${port} ${there}, then open the link there.`);
  const ended = once(agent, 'exit');
  agent.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

test('a unit of systemd, with every path absolute, and no agent', async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder, { ANNEAL_CACHE: '/srv/a cache', ANNEAL_CUDA_LIBRARIES: '/opt/cuda/lib' });
  const args = ['--systemd', '--base-path', '/proxy/7420', '--runs-dir', 'my runs', '--allow-host', 'gpu.lab'];
  const { code, stdout, stderr } = await anneal('serve', '.', ...args);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout.split('\n')).toEqual(
    expect.arrayContaining([
      `User=${userInfo().username}`,
      `WorkingDirectory=${folder}`,
      'Environment="ANNEAL_CACHE=/srv/a cache"',
      'Environment=ANNEAL_CUDA_LIBRARIES=/opt/cuda/lib',
      `ExecStart=${process.execPath} ${annealPath} serve ${folder} --host 127.0.0.1 --port 7420 --allow-host gpu.lab --base-path /proxy/7420 --runs-dir "${folder}/my runs"`,
      'KillMode=process',
      'WantedBy=multi-user.target',
    ]),
  );
  expect((await anneal('serve', '.', '--systemd', '--host', '0.0.0.0')).stderr).toMatch(/needs a token and TLS/);
});

const unit = (folder: string) => systemdUnit(['/bin/node', 'main.js'], { folder, args: [], environment: {} });

test('what systemd would read otherwise is written so that it does not', () => {
  expect(unit('/srv/100 %"$HOME"')).toContain(String.raw`ExecStart=/bin/node main.js serve "/srv/100 %%\"$$HOME\""`);
  expect(() => unit('/srv/a\nUser=root')).toThrow(/control character/);
});
