/**
 * What a container allows was compared with what this process alone takes, as though nobody else were in it; below
 * `ulimit -v` what is reserved was not counted, and a thread without room ended the process with a stack of V8. Later `ulimit -d`,
 * which does not count what is reserved, was taken to leave a thread no room.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hostMemory, refuseThreadWithoutRoom } from '@anneal/core/hostMemory';
import { expect, test } from 'vitest';
import { annealPath, env, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { writeCapitalsTask, writeTinyModel } from '../packages/core/test/fixtures.ts';

const onLinux = process.platform === 'linux';

/** A machine of 16 GB of which 12 are free. */
function machine(files: Record<string, string>): string {
  const root = temporaryFolder();
  const all = { 'proc/meminfo': 'MemTotal: 16000000 kB\nMemAvailable: 12000000 kB\n', ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const limits = (addresses: string, data = 'unlimited') =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax address space         ${addresses}            unlimited            bytes\nMax data size             ${data}            unlimited            bytes\n`;

test.runIf(onLinux)('without a limit the machine counts', () => {
  const whole = { total: 16_384_000_000, available: 12_288_000_000, isLimited: false };
  expect(hostMemory(machine({}))).toEqual(whole);
  const none = { 'memory.max': 'max\n', 'memory.current': '1\n' };
  const files = Object.fromEntries(Object.entries(none).map(([name, text]) => [`sys/fs/cgroup/${name}`, text]));
  expect(hostMemory(machine({ 'proc/self/cgroup': '0::/\n', ...files }))).toEqual(whole);
  expect(hostMemory(machine({ 'proc/self/limits': limits('unlimited') }))).toEqual(whole);
});

test.runIf(onLinux)('of a container what all in it take is gone, but not the files that are kept at hand', () => {
  const group = 'sys/fs/cgroup/pod';
  const root = machine({
    'proc/self/cgroup': '0::/pod/task\n',
    [`${group}/memory.max`]: '4000000000\n',
    [`${group}/memory.current`]: '3000000000\n',
    [`${group}/memory.stat`]: 'anon 1\ninactive_file 700000000\nactive_file 300000000\n',
    [`${group}/task/memory.max`]: 'max\n',
    [`${group}/task/memory.current`]: '1\n',
  });
  expect(hostMemory(root)).toEqual({ total: 4e9, available: 2e9, isLimited: true });
});

test.runIf(onLinux)('version 1 of control groups has other files, and may name a path of the host', () => {
  const group = 'sys/fs/cgroup/memory';
  const root = machine({
    'proc/self/cgroup': '5:cpu,cpuacct:/\n4:memory:/docker/0123\n0::/\n',
    [`${group}/memory.limit_in_bytes`]: '4000000000\n',
    [`${group}/memory.usage_in_bytes`]: '3000000000\n',
    [`${group}/memory.stat`]: 'inactive_file 1\ntotal_inactive_file 500000000\n',
  });
  expect(hostMemory(root)).toEqual({ total: 4e9, available: 1.5e9, isLimited: true });
});

test.runIf(onLinux)('below ulimit -v what is reserved counts', () => {
  const status = 'VmSize:\t 2000000 kB\nVmData:\t 1000000 kB\n';
  const root = machine({ 'proc/self/limits': limits('4096000000'), 'proc/self/status': status });
  expect(hostMemory(root)).toEqual({ total: 4_096_000_000, available: 2_048_000_000, isLimited: true });
  expect(() => refuseThreadWithoutRoom(root)).toThrow(expect.objectContaining({ code: 'out_of_memory' }));
  expect(refuseThreadWithoutRoom(machine({ 'proc/self/limits': limits('unlimited') }))).toBeUndefined();
});

test.runIf(onLinux)('below ulimit -d a thread has room, as what it reserves does not count', () => {
  const root = machine({ 'proc/self/limits': limits('unlimited', '2560000000') });
  expect(hostMemory(root)).toMatchObject({ total: 2_560_000_000, isLimited: true });
  expect(refuseThreadWithoutRoom(root)).toBeUndefined();
});

test.runIf(onLinux).each(['estimate recipe.yaml', 'train recipe.yaml --dry-run', 'train recipe.yaml'])(
  '%s ends with an error, not with a stack',
  (verb) => {
    const folder = temporaryFolder();
    writeTinyModel(folder);
    writeCapitalsTask(folder);
    writeFileSync(join(folder, 'recipe.yaml'), 'base_model: ./tiny-smollm2\ndatasets: [{path: rows.jsonl}]\n');
    const limited = `ulimit -v 4000000 && '${process.execPath}' '${annealPath}' ${verb} --set sequence_len=65536 2>&1; echo "code $?"`;
    const output = execFileSync('bash', ['-c', limited], { cwd: folder, env, encoding: 'utf8' });
    expect(output).toMatch(/does not fit: it (needs|reserves)/);
    expect(output).toMatch(/code 2\n$/);
  },
);
