import * as z from 'zod';
import { defaultInWords, valuesOf } from './jsonSchema.ts';
import type { KeyMeta } from './key.ts';
import { sections } from './schema.ts';
import { datasetSchema, promptSchema } from './sections/datasets.ts';
import { trlSchema } from './sections/rollouts.ts';
import { scheduleArgumentsSchema } from './sections/schedule.ts';

const introduction = `# Recipe reference

<!-- Generated: edit the descriptions in packages/core/src/recipe/sections, then \`npx vitest run packages/core/src/recipe -u\`. -->

A recipe is a YAML file that says everything about a run. Key names are Axolotl's. Two keys must be written,
\`base_model\` and \`datasets\`; every other key has a default, and a key that is absent or \`null\` takes it
(only \`adapter: null\` means something of its own). Unknown keys are errors. Relative paths start at the folder of
the recipe. A run records what it was given in \`recipe.yaml\` and every decided value in \`recipe.resolved.yaml\`.

\`anneal init\` writes a first recipe, \`anneal validate\` checks one, \`--set key=value\` overrides a key for one run
(\`--set datasets.0.path=rows.jsonl\`), \`anneal schema\` prints the JSON Schema for editors.
`;

const promptIntroduction = `\`type\` as a mapping writes the prompt out. It takes the place of the chat template: in training, samples, chat and
exports. The answer and its EOS token are trained, the prompt is not (\`train_on_inputs: true\` trains both).

\`\`\`yaml
datasets:
  - path: questions.jsonl
    type:
      field_instruction: Question
      field_thinking: Complex_CoT
      field_output: Response
      format: |-
        ### Question:
        {instruction}

        ### Response:
        <think>
        {thinking}
        </think>
        {output}
\`\`\`
`;

/** The text of docs/recipe.md. */
export function recipeReference(): string {
  const parts = [introduction];
  for (const { title, keys } of sections) {
    parts.push(`## ${title}\n\n${listKeys(keys)}`);
    if ('datasets' in keys) {
      parts.push(
        `### A data set\n\nEach entry of \`datasets\` and of \`test_datasets\`:\n\n${listKeys(datasetSchema.shape)}`,
      );
      parts.push(`### A prompt of your own\n\n${promptIntroduction}\n${listKeys(promptSchema.shape)}`);
    }
    if ('lr_scheduler_kwargs' in keys) {
      parts.push(
        `Keys of \`lr_scheduler_kwargs\`, by the names of transformers; each belongs to the schedules that it names:\n\n${listKeys(scheduleArgumentsSchema.shape)}`,
      );
    }
    if ('trl' in keys) {
      parts.push(
        `Keys of \`trl\`, by the names of TRL's GRPOConfig ([grpo.md](grpo.md)):\n\n${listKeys(trlSchema.shape)}`,
      );
    }
  }
  return parts.join('\n');
}

/** A key a paragraph: tables of sentences are lines that nobody can read in a diff. */
export function listKeys(keys: Readonly<Record<string, z.ZodType>>): string {
  const items = Object.entries(keys).map(([key, schema]) => {
    const meta = schema.meta() as KeyMeta;
    const values = meta.values ?? valuesOf(z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }));
    const standard = defaultInWords(meta);
    const fact = standard === undefined ? 'must be written' : `default: ${standard}`;
    return wrapped(`- **\`${key}\`** (${values}; ${fact}): ${meta.description}`);
  });
  return `${items.join('\n')}\n`;
}

const columns = 120;

/** Lines of at most 120 columns; code is not broken. */
function wrapped(item: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of item.match(/(?:`[^`]*`|\S)+/g) ?? []) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = ' ';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}
