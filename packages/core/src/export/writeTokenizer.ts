import { dirname, join } from 'node:path';
import { writeAtomically } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { openModelTokenizer } from '../generate/modelText.ts';
import type { OpenModel } from '../models/model.ts';
import { describeWithoutRow, tokensWithoutRow } from '../tokenizers/tokensWithoutRow.ts';

/** Writes the files of tokenizer and chat templates into a folder, as transformers looks for them. */
export async function writeTokenizer(folder: string, model: OpenModel): Promise<void> {
  for (const name of model.tokenizerFiles) {
    const path = join(folder, name);
    makeFolder(dirname(path)); // templates by name have a folder of their own
    await writeAtomically(path, (file) => file.write(model.readTokenizerFile(name)));
  }
}

/** What is handed on is read as a run would read it. @throws UserError for a tokenizer that is damaged */
export async function checkTokenizer(model: OpenModel): Promise<void> {
  const isWhole = ['tokenizer.json', 'tokenizer_config.json'].every((name) => model.tokenizerFiles.includes(name));
  if (isWhole) await openModelTokenizer(model).encode(''); // what the library refuses is said by a text
}

/** What whoever uses the tokenizer should know of it. */
export function tokenizerWarnings(model: OpenModel): string[] {
  const warning = describeWithoutRow(tokensWithoutRow(model));
  return warning === null ? [] : [`${warning}.`];
}

/** The bytes of all files that `writeTokenizer` writes. */
export function tokenizerBytes(model: OpenModel): number {
  return model.tokenizerFiles.reduce((sum, name) => sum + model.readTokenizerFile(name).length, 0);
}
