/** answers/step-N.jsonl of a run: what was sampled for a step, an answer a line. A step that is done again writes the same. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { UserError } from '../errors.ts';
import { type SampledAnswerRecord, sampledAnswerSchema } from '../protocol/answers.ts';
import { asDiskError } from './diskError.ts';
import { damaged, kindOf, readRunFile } from './runFiles.ts';

const answersFolder = 'answers';

const pathOf = (run: string, step: number): string => join(run, answersFolder, `step-${step}.jsonl`);

/** @throws UserError `disk_full` */
export function writeAnswers(run: string, step: number, answers: readonly SampledAnswerRecord[]): void {
  const path = pathOf(run, step);
  try {
    makeFolder(join(run, answersFolder));
    replaceFile(path, answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''), { sync: false });
  } catch (error) {
    throw asDiskError(error, path);
  }
}

/** @throws UserError `answers_not_kept`, `run_file_damaged` */
export function readAnswers(run: string, step: number): SampledAnswerRecord[] {
  const path = pathOf(run, step);
  if (kindOf(join(run, answersFolder)) !== 'folder' || !existsSync(path)) {
    throw new UserError({
      what: `no answers of step ${step} are kept`,
      where: run,
      next: 'choose a step that was trained by `rl: grpo` with `trl.log_completions`; `anneal runs show` lists the steps',
      code: 'answers_not_kept',
    });
  }
  return readRunFile(path)
    .split('\n')
    .filter(Boolean)
    .map((line, i) => {
      try {
        return sampledAnswerSchema.parse(JSON.parse(line));
      } catch {
        throw damaged(path, `line ${i + 1} is no answer`);
      }
    });
}
