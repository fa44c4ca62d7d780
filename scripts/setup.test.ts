import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const setup = join(import.meta.dirname, 'setup.mjs');

describe('the set-up', () => {
  it('says which tool is missing and how to get it', () => {
    const { status, stderr } = spawnSync(process.execPath, [setup], { env: { PATH: '' }, encoding: 'utf8' });
    expect(stderr).toContain('error: the native addon is built with CMake, which is not installed');
    expect(stderr).toContain('next: Debian, Ubuntu: apt-get install cmake');
    expect(status).toBe(1);
  });
});
