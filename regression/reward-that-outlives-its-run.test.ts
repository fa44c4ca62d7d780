/** A reward function that looped went on when its run was killed, and Ctrl-C, which a run takes as a wish to stop, ended those of a run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';

const rewards = new URL('../packages/core/src/rewards/rewards.ts', import.meta.url).href;

/** Opens a function, says the id of the process it is in, judges for each line that it reads, and says that it does and what came. */
const run = (source: string): string => `
  import { subscribe } from 'node:diagnostics_channel';
  import { createInterface } from 'node:readline';
  import { Rewards } from ${JSON.stringify(rewards)};
  process.on('SIGINT', () => undefined);
  let child;
  subscribe('child_process', (message) => { child = message.process; });
  const rewards = await Rewards.open([{ name: 'mine', type: 'typescript', path: 'mine.ts', source: ${JSON.stringify(source)} }]);
  console.log(child.pid);
  for await (const _ of createInterface(process.stdin)) {
    const judging = rewards.judge([{}]);
    console.log('asked');
    console.log(JSON.stringify(await judging));
  }
`;

async function start(source: string): Promise<{ child: ChildProcess; lines: AsyncIterator<string>; pid: number }> {
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', run(source)], {
    detached: true, // as a job of a terminal: a signal reaches its whole group
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { child, lines, pid: Number((await lines.next()).value) };
}

/** One that ended may stay as a zombie where nobody asks for it. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('a looping reward ends with its run', async () => {
  const { child, lines, pid } = await start('export default () => { for (;;); }');
  child.stdin?.write('judge\n');
  expect((await lines.next()).value).toBe('asked');
  expect(isRunning(pid)).toBe(true);
  child.kill('SIGKILL');
  while (isRunning(pid)) await wait(20);
});

test('Ctrl-C leaves the rewards to the run', async () => {
  const { child, lines } = await start('export default () => [0.5]');
  process.kill(-(child.pid as number), 'SIGINT');
  child.stdin?.write('judge\n');
  expect([(await lines.next()).value, (await lines.next()).value]).toEqual(['asked', '[[0.5]]']);
});
