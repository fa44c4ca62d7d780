import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceFault } from '@anneal/core/deviceFault';
import { UserError } from '@anneal/core/errors';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import envPaths from 'env-paths';
import { exitCodeOfError, exitCodes } from '../exitCodes.ts';
import { errorColors } from './colors.ts';
import { printJson, remark } from './print.ts';

/** Says what went wrong and returns the exit code that goes with it. */
export function reportError(error: unknown, options: { json: boolean; debug: boolean }): number {
  if (error instanceof UserError) {
    printError(error, options);
    return exitCodeOfError(error.code);
  }
  const fault = deviceFault(error);
  if (fault) return reportError(fault, options);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const file = options.debug ? undefined : writeStack(stack);
  if (!file) remark(stack);
  printError(
    new UserError({
      what: `unexpected error: ${error instanceof Error ? error.message : String(error)}`,
      where: file,
      next: `this is a defect in Anneal: please report it with ${file ? 'that file, or run again with --debug' : 'what stands above'}`,
      code: 'internal_error',
      cause: error,
    }),
    options,
  );
  return exitCodes.defect;
}

/** Three lines: what, where, what to do next. With `json` one object on stdout, `{ "error": … }`. */
export function printError(
  error: { code?: string; what: string; where?: string | undefined; next?: string | undefined },
  options: { json: boolean },
): void {
  if (options.json) {
    printJson({ error });
    return;
  }
  remark(`${errorColors.red('error:')} ${error.what}`);
  if (error.where) remark(errorColors.dim(`  at ${error.where}`));
  if (error.next) remark(`  ${error.next}`);
}

/** Returns the path of the file; undefined where none can be written, as in a container without a home folder. */
function writeStack(stack: string): string | undefined {
  const folder = envPaths('anneal', { suffix: '' }).log;
  const path = join(folder, `error-${new Date().toISOString().replace(/[:.]/g, '-')}.log`);
  try {
    makeFolder(folder);
    writeFileSync(path, `${process.argv.join(' ')}\n${stack}\n`);
    return path;
  } catch {
    return undefined;
  }
}
