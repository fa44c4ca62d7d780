/** judgements.jsonl of a run: what judges said of its answers, so that a step that is done again is judged as it was. */
import { join } from 'node:path';
import { Journal } from '../synthesis/journal.ts';
import type { RolloutJob } from './rolloutOptions.ts';
import { copyRunFile, kindOf } from './runFiles.ts';

const judgementsName = 'judgements.jsonl';
/** A million judgements have some 500 MB. */
const mostBytes = 4 * 2 ** 30;

/** Null where no judge is asked. @throws UserError `journal_damaged`, `journal_not_usable` */
export function openJudgements(run: string, { rewards }: Pick<RolloutJob, 'rewards'>): Journal | null {
  return rewards.some(({ type }) => type === 'judge') ? Journal.open(join(run, judgementsName)) : null;
}

/** What was said to one run is what its repetition is judged by. @throws UserError as `copyRunFile` */
export async function copyJudgements(from: string, to: string): Promise<void> {
  const path = join(from, judgementsName);
  if (kindOf(path) !== undefined) await copyRunFile(path, join(to, judgementsName), mostBytes);
}
