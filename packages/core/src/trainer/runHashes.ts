import { join } from 'node:path';
import { z } from 'zod';
import { damaged, kindOf, readRunFile } from './runFiles.ts';

const runHashesSchema = z.object({
  model: z.string(),
  data: z.string(),
  template: z.string(),
  tokenizer: z.string(),
  /** Of the reward functions, where there are some. */
  rewards: z.string().optional(),
});

/** SHA-256 of what the run was made from; a resumed run must find the same. */
export type RunHashes = z.infer<typeof runHashesSchema>;

export const pinsName = 'lock.json';

/** What lock.json of a run holds; undefined before its first launch got that far. @throws UserError `run_file_damaged` */
export function readPinned(run: string): RunHashes | undefined {
  const path = join(run, pinsName);
  if (kindOf(path) === undefined) return undefined;
  const text = readRunFile(path);
  try {
    return runHashesSchema.parse(JSON.parse(text));
  } catch {
    throw damaged(path, 'it does not hold the hashes of model, data, template and tokenizer');
  }
}
