// On a busy machine a process's exit was told before its last message had come, and its result was lost: "ended with exit code 0".
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { exitOf } from '../apps/agent/src/runner/apart.ts';

function fakeChild(connected: boolean): ChildProcess {
  return Object.assign(new EventEmitter(), { connected }) as unknown as ChildProcess;
}

test('the exit of a process is told after all that it said', async () => {
  const child = fakeChild(true);
  const told: string[] = [];
  child.on('message', (message) => told.push(String(message)));
  const exited = exitOf(child).then(({ code }) => told.push(`exit ${code}`));
  child.emit('exit', 0, null);
  await new Promise(setImmediate);
  child.emit('message', 'result', undefined as never);
  child.emit('disconnect');
  await exited;
  expect(told).toEqual(['result', 'exit 0']);
});

test('where nothing more can come, at once; and one that could not be started is an error', async () => {
  const ended = fakeChild(false);
  const exit = exitOf(ended);
  ended.emit('exit', null, 'SIGKILL');
  expect(await exit).toEqual({ code: null, signal: 'SIGKILL' });
  const never = fakeChild(false);
  const error = expect(exitOf(never)).rejects.toThrow('ENOENT');
  never.emit('error', new Error('ENOENT'));
  await error;
});
