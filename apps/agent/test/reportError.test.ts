import { readFileSync } from 'node:fs';
import { UserError } from '@anneal/core/errors';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { reportError } from '../src/terminal/reportError.ts';

let folder: string;
let stdout: string;
let stderr: string;

beforeEach(() => {
  folder = temporaryFolder('error');
  vi.stubEnv('XDG_STATE_HOME', folder);
  stdout = '';
  stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((stdout += String(text))));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((stderr += String(text))));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test('an unexpected error is one message, with the stack in a file that it names', () => {
  expect(reportError(new TypeError('x is not a function'), { json: true, debug: false })).toBe(exitCodes.defect);
  const { error } = JSON.parse(stdout) as { error: { code: string; what: string; where: string } };
  expect(error).toMatchObject({ code: 'internal_error', what: 'unexpected error: x is not a function' });
  expect(readFileSync(error.where, 'utf8')).toContain('TypeError: x is not a function\n    at ');
  expect(stderr).toBe('');
});

test('with --debug the stack is printed', () => {
  expect(reportError(new TypeError('x is not a function'), { json: false, debug: true })).toBe(exitCodes.defect);
  expect(stderr).toContain('TypeError: x is not a function\n    at ');
});

test('where no file can be written, the stack is printed', () => {
  vi.stubEnv('XDG_STATE_HOME', '/dev/null');
  expect(reportError(new TypeError('x is not a function'), { json: false, debug: false })).toBe(exitCodes.defect);
  expect(stderr).toContain('TypeError: x is not a function\n    at ');
});

test.each([
  ['unknown_key', exitCodes.badInput],
  ['disk_full', exitCodes.failed],
])('a UserError %s exits with %i, without a stack', (code, exitCode) => {
  const error = new UserError({ what: 'what', where: 'here', next: 'do this', code });
  expect(reportError(error, { json: false, debug: true })).toBe(exitCode);
  expect(stderr.split('\n')).toHaveLength(4);
});

test('a GPU that fails is no defect of the command, and says what to do', () => {
  const failure = new Error('rope: unspecified launch failure (cudaErrorLaunchFailure)');
  expect(reportError(failure, { json: false, debug: false })).toBe(exitCodes.failed);
  expect(stderr).toContain('the GPU failed: rope: unspecified launch failure (cudaErrorLaunchFailure)');
  expect(stderr).toContain('start it again');
});
