/**
 * What was wrong: the audit and the history of a recipe were appended to without an eye on what that failed with. On a full disk a change
 * that was done was answered by "unexpected error in the agent", a cut line swallowed the next one, and an upload ended with a
 * bare 500.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { Audit } from '../apps/agent/src/daemon/auth/audit.ts';
import { appendLine } from '../packages/formats/src/files/atomicWrite.ts';

/** How many bytes there is room for. */
let room = Number.POSITIVE_INFINITY;

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>();
  const writeSync = (file: number, bytes: Buffer, offset = 0): number => {
    const fits = Math.min(room, bytes.length - offset);
    if (fits === 0) throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    room -= fits;
    return original.writeSync(file, bytes, offset, fits);
  };
  return { ...original, default: { ...original, writeSync }, writeSync };
});

const folder = mkdtempSync(join(tmpdir(), 'anneal-full-'));
afterEach(() => {
  room = Number.POSITIVE_INFINITY;
  rmSync(folder, { recursive: true });
});

it('a line is appended whole or not at all, and what the audit has no room for is said in the log', () => {
  const path = join(folder, 'lines');
  appendLine(path, 'first');
  room = 3;
  expect(() => appendLine(path, 'second')).toThrow(expect.objectContaining({ code: 'disk_full', where: path }));
  room = Number.POSITIVE_INFINITY;
  appendLine(path, 'third');
  expect(readFileSync(path, 'utf8')).toBe('first\nthird\n');

  const said: string[] = [];
  const audit = new Audit(folder, (text) => said.push(text));
  room = 20;
  audit.record({ name: 'Ada', action: 'runs.stop', outcome: 'done' });
  expect(said).toEqual([expect.stringMatching(/^not in the audit \(the disk is full\): .*"runs\.stop"/)]);
  room = Number.POSITIVE_INFINITY;
  audit.record({ name: 'Ada', action: 'storage.clean', outcome: 'done' });
  expect(audit.page().entries.map(({ action }) => action)).toEqual(['storage.clean']);
  expect(said).toHaveLength(1);
});
