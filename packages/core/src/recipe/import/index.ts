import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';
import { isMap, isScalar, type ScalarTag } from 'yaml';
import { UserError } from '../../errors.ts';
import { keyOf, layOut, write } from '../layout.ts';
import { InvalidRecipe, type RecipeProblem } from '../problem.ts';
import { checkRecipe } from '../read.ts';
import { parseYaml, plainValue, readText, syntaxProblems } from '../yamlText.ts';
import { fromAxolotl } from './axolotl.ts';
import { fromLlamaFactory } from './llamaFactory.ts';
import type { DatasetInfo } from './llamaFactoryDatasets.ts';
import { type Move, relocate } from './relocate.ts';
import { type Input, isMapping, type Translation } from './translate.ts';
import { fromUnsloth, unslothSections } from './unsloth.ts';

export type ForeignKind = 'axolotl' | 'llama-factory' | 'unsloth';

export interface ImportedRecipe extends Translation {
  kind: ForeignKind;
  /** Our recipe as YAML; comments say what was not translated and why. */
  text: string;
  /** What has to be completed by hand before `text` is a valid recipe. */
  problems: RecipeProblem[];
}

/**
 * Translates a recipe file of another trainer. LLaMA-Factory's dataset_info.json is read where it lies.
 * @param target the folder in which our recipe will lie: relative paths start there
 * @throws InvalidRecipe, UserError
 */
export async function importRecipeFile(path: string, target: string = dirname(path)): Promise<ImportedRecipe> {
  const text = await readText(path);
  const input = parseForeign(text, path);
  const folder = typeof input['dataset_dir'] === 'string' ? input['dataset_dir'] : 'data';
  // LLaMA-Factory is run from the root of its repository, recipes lie in folders below it.
  const places = [dirname(path), process.cwd()].map((base) => join(resolve(base, folder), 'dataset_info.json'));
  const infoFile = 'dataset' in input ? places.find((place) => existsSync(place)) : undefined;
  const info =
    infoFile === undefined ? undefined : parseJsonObject(readSmallFile(infoFile, LIMITS.configBytes), infoFile);
  return importRecipe(text, path, info, { places: [process.cwd(), dirname(path)], target });
}

/**
 * As `importRecipeFile`, for a text.
 * @throws InvalidRecipe for text that is not a YAML mapping; UserError when it is no recipe that can be translated
 */
export function importRecipe(text: string, file: string, datasetInfo?: DatasetInfo, move?: Move): ImportedRecipe {
  const input = parseForeign(text, file);
  const kind = detectKind(input, file);
  const { recipe, ...account } = translators[kind](input, datasetInfo);
  const translation = { recipe: move ? relocate(recipe, move) : recipe, ...account };
  const ours = toText(kind, translation);
  const checked = checkRecipe(ours, `${file} (translated)`);
  return { kind, ...translation, text: ours, problems: checked.ok ? [] : checked.problems };
}

const translators: Record<ForeignKind, (input: Input, info: DatasetInfo | undefined) => Translation> = {
  axolotl: fromAxolotl,
  'llama-factory': fromLlamaFactory,
  unsloth: fromUnsloth,
};

/** The spellings of true and false that Python's YAML 1.1 knows and YAML 1.2 does not. */
const pythonBoolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  test: /^(yes|no|on|off)$/i,
  resolve: (text) => /^(yes|on)$/i.test(text),
};

/** Integers as PyYAML reads them: `1_024` is 1024, and a leading 0 makes an octal number. */
const pythonInteger: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?(?:0b[01_]+|0x[\da-fA-F_]+|0[0-7_]+|[1-9]\d*_[\d_]*)$/,
  resolve(text) {
    const [, sign, digits] = /^([-+]?)(.*)$/.exec(text.replaceAll('_', '')) as unknown as [string, string, string];
    const value = Number(digits.replace(/^0(?=\d)/, '0o'));
    return sign === '-' ? -value : value;
  },
};

/** `1_000.5` */
const pythonFloat: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  test: /^[-+]?(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?$/,
  resolve: (text) => Number(text.replaceAll('_', '')),
};

function parseForeign(text: string, file: string): Input {
  const python = [pythonBoolean, pythonInteger, pythonFloat];
  const source = parseYaml(text, file, { merge: true, customTags: (tags) => [...python, ...tags] });
  const broken = syntaxProblems(source);
  if (broken.length > 0) throw new InvalidRecipe(broken);
  if (!isMap(source.document.contents)) throw notRecognized(file);
  const value = plainValue(source);
  if (!value.ok) throw new InvalidRecipe(value.problems);
  return value.plain;
}

function detectKind(input: Input, file: string): ForeignKind {
  if ('schema_version' in input) {
    throw new UserError({
      what: 'this is a recipe of Anneal already',
      where: file,
      next: 'use it as it is: `anneal train`',
      code: 'import_own_recipe',
    });
  }
  if ('model_name_or_path' in input) {
    refuseTrl(input, file);
    return 'llama-factory';
  }
  if ('base_model' in input) return 'axolotl';
  if (unslothSections.some((name) => isMapping(input[name]))) return 'unsloth';
  throw notRecognized(file);
}

/** TRL's command line has `model_name_or_path` too, and other defaults: without `use_peft` it trains every weight. */
const OF_TRL = [
  'use_peft',
  'dataset_name',
  'dataset_config',
  'assistant_only_loss',
  'completion_only_loss',
  'max_length',
];
const OF_LLAMA_FACTORY = ['stage', 'finetuning_type', 'dataset', 'template', 'cutoff_len'];

function refuseTrl(input: Input, file: string): void {
  const found = OF_TRL.find((key) => key in input);
  if (found === undefined || OF_LLAMA_FACTORY.some((key) => key in input)) return;
  throw new UserError({
    what: `this is a configuration of TRL's command line (\`${found}\`), which is not translated`,
    where: file,
    next: 'start with `anneal init`, and set the keys that docs/recipe.md explains; recipes of Axolotl, LLaMA-Factory and Unsloth are translated',
    code: 'import_unsupported',
  });
}

function notRecognized(file: string): UserError {
  return new UserError({
    what: 'neither a recipe of Axolotl (no `base_model`) nor of LLaMA-Factory (no `model_name_or_path`) nor of Unsloth (no section `training` or `lora`)',
    where: file,
    next: 'name one of these, or start with `anneal init`',
    code: 'import_unknown_format',
  });
}

const titles: Record<ForeignKind, string> = {
  axolotl: 'Axolotl',
  'llama-factory': 'LLaMA-Factory',
  unsloth: 'Unsloth',
};

function toText(kind: ForeignKind, { recipe, untranslated, implied }: Translation): string {
  const { document, root } = layOut({ schema_version: 1, ...recipe });
  document.commentBefore = ` Translated from ${titles[kind]}. Check it with \`anneal validate\` and \`anneal inspect\`.`;
  for (const pair of root.items) {
    const note = implied.find(({ key }) => key === keyOf(pair))?.note;
    if (note !== undefined && isScalar(pair.value)) pair.value.comment = ` ${note}`;
  }
  if (untranslated.length > 0) {
    const lines = untranslated.map(({ key, value, reason }) => `  ${key}: ${JSON.stringify(value)} (${reason})`);
    document.comment = [' Not translated:', ...lines].join('\n');
  }
  return write(document);
}
