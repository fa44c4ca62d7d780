/**
 * What was wrong: the audit and the history of a recipe were appended to without an eye on what that failed with. On a full disk a change
 * that was done was answered by "unexpected error in the agent", a cut line swallowed the next one, and an upload ended with a
 * bare 500.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Audit } from '../apps/agent/src/daemon/auth/audit.ts';
import { appendLine } from '../packages/formats/src/files/atomicWrite.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

/** How many bytes there is room for. */
let room = Number.POSITIVE_INFINITY;
/** What another process does once there is none. */
let meanwhile: (() => void) | undefined;

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>();
  const writeSync = (file: number, bytes: Buffer, offset = 0): number => {
    const fits = Math.min(room, bytes.length - offset);
    if (fits === 0) meanwhile?.();
    if (fits === 0) throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    room -= fits;
    return original.writeSync(file, bytes, offset, fits);
  };
  return { ...original, default: { ...original, writeSync }, writeSync };
});

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('full');
});
afterEach(() => {
  room = Number.POSITIVE_INFINITY;
  meanwhile = undefined;
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

it('half a line that cannot be taken back swallows no other', () => {
  const path = join(folder, 'lines');
  writeFileSync(path, 'of a crash');
  appendLine(path, 'first');
  room = 3;
  meanwhile = () => {
    room = Number.POSITIVE_INFINITY;
    appendLine(path, 'of another process');
  };
  expect(() => appendLine(path, 'second')).toThrow(expect.objectContaining({ code: 'disk_full' }));
  expect(readFileSync(path, 'utf8')).toBe('of a crash\nfirst\nsec\nof another process\n');
});

it('an audit that cannot be written for another reason is an error', () => {
  mkdirSync(join(folder, 'audit.jsonl'));
  const said: string[] = [];
  const audit = new Audit(folder, (text) => said.push(text));
  expect(() => audit.record({ name: 'Ada', action: 'runs.stop', outcome: 'done' })).toThrow(
    expect.objectContaining({ code: 'file_not_writable' }),
  );
  expect(said).toEqual([]);
});
