import { findRun } from '@anneal/core/trainer/runReader';
import { type Context, runsFolderOf } from '../context.ts';

/** The path of the run. @throws UserError `run_not_found`, `run_ambiguous` */
export function pathOfRun(context: Context, run: string): Promise<string> {
  return findRun(runsFolderOf(context), run);
}
