import { isDeepStrictEqual } from 'node:util';
import { mistakeInFormat } from '../templates/promptFormat.ts';
import type { Finding, KeyPath } from './problem.ts';
import type { Dataset, Recipe } from './schema.ts';
import { promptSchema } from './sections/datasets.ts';

export type WrittenPrompt = Extract<Dataset['type'], object>;

/** The parts of a prompt that chat and exports need besides the rows. */
const shared = ['format', 'no_input_format', 'system_format', 'system_prompt'] as const;

/** Mistakes in prompts that data sets write out, and what they do not go with: one model is asked with one prompt. */
export function promptFindings(recipe: Partial<Recipe>): Finding[] {
  const found: Finding[] = [];
  const clash = (path: KeyPath, what: string, next: string) =>
    found.push({ path, part: 'key', code: 'impossible_combination', what, next });
  const entries = (['datasets', 'test_datasets'] as const).flatMap((list) =>
    (recipe[list] ?? []).map((dataset, i) => ({ dataset, path: [list, i] as KeyPath })),
  );
  const prompts = entries.flatMap(({ dataset, path }) =>
    isPrompt(dataset.type) ? [{ prompt: dataset.type, path: [...path, 'type'] }] : [],
  );
  const [first] = prompts;
  if (!first) return [];
  for (const { prompt, path } of prompts) {
    for (const key of ['format', 'no_input_format'] as const) {
      const mistake = prompt[key] ? mistakeInFormat(prompt[key]) : null;
      if (mistake) found.push({ path: [...path, key], part: 'value', code: 'prompt_format', ...mistake });
    }
    const other = shared.find((key) => !isDeepStrictEqual(filled(prompt)[key], filled(first.prompt)[key]));
    if (other !== undefined) {
      clash(
        path,
        `the data sets have prompts that differ in \`${other}\``,
        'give all the same: chat writes one prompt',
      );
    }
  }
  if (recipe.chat_template && recipe.chat_template !== 'tokenizer_default') {
    clash(['chat_template'], 'the prompt of a data set takes the place of the chat template', 'keep one of the two');
  }
  for (const { dataset, path } of entries) {
    if (isPrompt(dataset.type) || dataset.type === 'completion') continue;
    clash(
      [...path, 'type'],
      'another data set writes its prompt out, and this one is rendered by the chat template',
      'write the same prompt here, or `type: completion` for plain text; train the others in a run of their own',
    );
  }
  return found;
}

export function isPrompt(type: Dataset['type']): type is WrittenPrompt {
  return typeof type === 'object' && type !== null;
}

function filled(prompt: WrittenPrompt) {
  return promptSchema.parse(prompt);
}
