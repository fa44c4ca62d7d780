import { join, relative } from 'node:path';
import { type PresetName, presetNames } from '@anneal/core/protocol/presets';
import type { ImportedProject, Project, RecipeCheck } from '@anneal/core/protocol/recipes';
import { shellWord } from '@anneal/core/shellWord';
import { type Command, Option } from 'commander';
import { colors } from '../terminal/colors.ts';
import { missingText } from '../terminal/missingSource.ts';
import { print, printHint, printJson, remark } from '../terminal/print.ts';
import { printEvent } from '../terminal/runProgress.ts';
import { formatTable } from '../terminal/table.ts';
import { addExamples } from './examples.ts';

interface InitOptions {
  model?: string;
  data?: string;
  from?: string;
  preset?: PresetName;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    command
      .argument('[folder]', 'where to begin; created when it is not there', '.')
      .option(
        '--model <model>',
        'write a recipe for this model: a short name, a Hugging Face name, a folder or .gguf file',
      )
      .option('--data <file>', 'write a recipe for these rows: JSONL, JSON, CSV, TSV, Parquet or text')
      .addOption(new Option('--preset <name>', 'what the recipe begins as; default: lora').choices([...presetNames]))
      .addOption(
        new Option('--from <recipe>', 'translate a recipe of Axolotl, LLaMA-Factory or Unsloth').conflicts([
          'model',
          'data',
          'preset',
        ]),
      )
      .action(init),
    'anneal init my-first-run',
    'anneal init --model smollm2-135m --data rows.jsonl',
    'anneal init --preset qlora --model Qwen/Qwen3-8B --data rows.jsonl',
    'anneal init --from axolotl.yaml',
  );
}

async function init(folder: string, { from, json, model, data, preset }: InitOptions): Promise<void> {
  const [{ beginProject, importProject }, { checkRecipe }] = await Promise.all([
    import('../service/recipes/init.ts'),
    import('../service/recipes/validate.ts'),
  ]);
  const checked = ({ folder: target }: Project) => checkRecipe({}, { recipe: join(target, 'recipe.yaml') });
  if (from !== undefined) {
    const project = await importProject({}, { folder, from });
    if (json) return printJson(project);
    printTranslation(project);
    const known = { problems: [], warnings: [], pull: null };
    return report(project, project.problems.length > 0 ? known : await checked(project));
  }
  const project = await beginProject({}, { folder, model, data, preset });
  const check = await checked(project);
  if (!json) return report(project, check);
  const { problems, warnings, pull } = check;
  printJson({ ...project, problems, warnings, ...(pull && { missing: pull }) });
}

function printTranslation({ translated, untranslated, implied, problems }: ImportedProject): void {
  const rows = [
    ...translated.map(({ from, to, note }) => [from, to, note ?? '']),
    ...implied.map(({ key, value, note }) => ['', `${key}: ${JSON.stringify(value)}`, note]),
    ...untranslated.map(({ key, reason }) => [key, colors.yellow('not translated'), reason]),
  ];
  print(formatTable([{ title: 'THEIRS' }, { title: 'OURS' }, { title: 'NOTE' }], rows));
  print();
  printProblems(problems);
}

/** What was written, what is still to be done by hand, and how to go on. */
function report({ folder, files }: Project, { problems, warnings, pull }: Omit<RecipeCheck, 'values'>): void {
  const recipe = relative('.', join(folder, 'recipe.yaml'));
  print(`wrote ${files.map((file) => relative('.', join(folder, file))).join(', ')}`);
  printProblems(problems);
  for (const warning of warnings) printEvent(warning, remark);
  if (pull) remark(`  ${missingText(pull)}`);
  printHint(`  look at what is trained: anneal inspect ${shellWord(recipe)}`);
  printHint(`  train:                   anneal train ${shellWord(recipe)}`);
}

function printProblems(problems: readonly { what: string; next: string }[]): void {
  for (const { what, next } of problems) print(`${colors.yellow('to complete by hand:')} ${what}; ${next}`);
}
