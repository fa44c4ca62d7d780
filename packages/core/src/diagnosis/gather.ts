import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { renderMessages } from '../datasets/chatRenderer.ts';
import { inspectData } from '../datasets/dataReport.ts';
import { summaryOf } from '../datasets/preparedSummary.ts';
import { MANIFEST_FILE, readManifest, verifyTokenStore } from '../datasets/storeManifest.ts';
import { idOfWord, isTargetWord, openTokenStore, type TokenStore } from '../datasets/tokenStore.ts';
import { UserError } from '../errors.ts';
import { type ModelText, openModelText } from '../generate/modelText.ts';
import { resolveModelPath } from '../hub/resolve.ts';
import { openModel } from '../models/open.ts';
import type { DataReport } from '../protocol/data.ts';
import type { Diagnosis } from '../protocol/diagnoses.ts';
import type { Unseen } from '../protocol/sights.ts';
import { parseRecipe } from '../recipe/read.ts';
import { type ResolvedRecipe, resolveRecipe } from '../recipe/resolve.ts';
import { TemplateError } from '../templates/template.ts';
import { textOptions } from '../trainer/dataOptions.ts';
import { kindOf, readRunFile } from '../trainer/runFiles.ts';
import { fewestSteps } from './curves.ts';
import type { Endings, Evidence, TemplateEvidence } from './evidence.ts';
import { readLog, tell, type Watching } from './readLog.ts';

type Unchecked = Diagnosis['unchecked'];

/** Documents whose ends are looked at, spread over all. */
const mostDocuments = 20_000;

/**
 * What the run in `path` recorded. What is not there any more, or never was, is said in `unchecked`.
 * @throws UserError for a run that cannot be read; the reason of the signal
 */
export async function gather(
  path: string,
  { report, signal }: Watching,
): Promise<{ evidence: Evidence; unchecked: Unchecked }> {
  const { steps, evaluations, samples, failure } = await readLog(path, { report, signal });
  const file = join(path, 'recipe.resolved.yaml');
  const recipe = resolveRecipe(parseRecipe(readRunFile(file), file).recipe, {
    baseDirectory: path,
    // Its paths are whole, and what they name may be gone; the name of a model or data set of a hub would lie in the run.
    exists: (named) => !named.startsWith(path) || existsSync(named),
  });
  const unchecked: Unchecked = [];
  if (failure) {
    const { code, what } = failure;
    unchecked.push(unseen('ending', 'how it would have ended', `it failed: ${what}`, { problem: { code, what } }));
  }
  if (steps.count < fewestSteps) {
    const values = { steps: steps.count, fewest: fewestSteps };
    const why = `${values.steps} steps are on record, fewer than ${values.fewest}`;
    unchecked.push(unseen('curve', 'the curve', why, { values }));
  }
  if (evaluations.length === 0) {
    unchecked.push(unseen('other_rows', 'other rows than the trained ones', 'none were held out'));
  }
  if (samples.length === 0) unchecked.push(unseen('answers', 'answers', 'the recipe has no sample_prompts'));
  await tell({ phase: 'rows', share: 0 }, { report, signal });
  const { data, store } = await dataOf(path, recipe, unchecked);
  try {
    await tell({ phase: 'texts', share: 0 }, { report, signal });
    const text = textsOf(recipe, unchecked);
    const endings = store && text ? endingsOf(store, recipe, text.run) : null;
    const template = text && { hasOwn: text.own !== null, isOwn: isSameTemplate(text.run, text.own) };
    return { evidence: { recipe, steps, evaluations, samples, data, endings, template }, unchecked };
  } finally {
    store?.close();
  }
}

function unseen(
  code: Unseen['code'],
  what: string,
  why: string,
  { values = {}, problem }: Partial<Pick<Unseen, 'values' | 'problem'>> = {},
): Unseen {
  return { code, what, why, values, ...(problem && { problem }) };
}

async function dataOf(
  path: string,
  recipe: ResolvedRecipe,
  unchecked: Unchecked,
): Promise<{ data: DataReport | null; store: TokenStore | null }> {
  const folder = join(path, 'data');
  if (kindOf(join(folder, MANIFEST_FILE)) === undefined) {
    unchecked.push(unseen('rows', 'the rows', 'the run holds no prepared data'));
    return { data: null, store: null };
  }
  await verifyTokenStore(folder, { unsealed: true });
  const manifest = readManifest(folder);
  const train = openTokenStore(folder, 'train');
  const validation = manifest.validation > 0 ? openTokenStore(folder, 'validation') : null;
  try {
    const summary = summaryOf(folder, manifest, train, validation);
    const options = { sequenceLen: recipe.sequence_len, seed: recipe.seed, packs: recipe.trl === null };
    return { data: inspectData({ train, validation, summary }, options), store: train };
  } catch (error) {
    train.close();
    throw error;
  } finally {
    validation?.close();
  }
}

interface Texts {
  run: ModelText;
  /** With the model's own template; null where it has none. */
  own: ModelText | null;
}

function textsOf(recipe: ResolvedRecipe, unchecked: Unchecked): Texts | null {
  try {
    const model = openModel(resolveModelPath(recipe.base_model, { revision: recipe.revision ?? undefined }));
    try {
      const options = textOptions(recipe);
      const run = openModelText(model, options);
      const own = options.chatTemplate === null ? run : openModelText(model, { ...options, chatTemplate: null });
      return { run, own: own.renderer ? own : null };
    } finally {
      model.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, what } = error;
    unchecked.push(unseen('texts', 'template and end tokens', what, { problem: { code, what } }));
    return null;
  }
}

/** White space may follow the token that ends an answer. */
const afterEnd = 3;

function endingsOf(store: TokenStore, { sequence_len: length }: ResolvedRecipe, { stopIds }: ModelText): Endings {
  const stride = Math.max(1, Math.ceil(store.count / mostDocuments));
  let [documents, ended] = [0, 0];
  for (let document = 0; document < store.count; document += stride) {
    const targets = store.words(document).filter(isTargetWord);
    if (targets.length === 0 || (store.lengths[document] as number) >= length) continue;
    documents++;
    if (targets.subarray(-afterEnd).some((word) => stopIds.has(idOfWord(word)))) ended++;
  }
  return { documents, ended };
}

/** With a system turn, so that one that a template adds by itself makes no difference; some refuse such a turn. */
const conversations = [
  [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'A question' },
    { role: 'assistant', content: 'An answer' },
  ],
  [
    { role: 'user', content: 'A question' },
    { role: 'assistant', content: 'An answer' },
  ],
] as const;

function isSameTemplate(run: ModelText, own: ModelText | null): TemplateEvidence['isOwn'] {
  if (!run.renderer || !own?.renderer) return run.renderer === (own?.renderer ?? null);
  for (const messages of conversations) {
    const [ours, theirs] = [run.renderer, own.renderer].map((renderer) =>
      renderMessages(renderer, { tools: null }, messages),
    );
    if (ours instanceof TemplateError || theirs instanceof TemplateError) continue;
    return ours?.text.trim() === theirs?.text.trim();
  }
  return true;
}
