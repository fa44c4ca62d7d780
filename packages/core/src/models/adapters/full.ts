import { isDeepStrictEqual } from 'node:util';
import type { Bias } from '@anneal/formats/peft/config';
import type { PeftAdapter } from '@anneal/formats/peft/read';
import { UserError } from '../../errors.ts';
import type { ModelConfig } from '../config.ts';
import type { OpenModel } from '../model.ts';
import { findName, type NameTable } from '../names.ts';
import { givesNoText } from '../scoreHead.ts';
import { inOurOrder, wholeTensor } from '../stored.ts';
import { expectedTensors } from '../tensors.ts';
import { otherBase } from './otherBase.ts';

export interface FullOptions {
  /** Last parts or dotted ends of the names of modules that are trained in full. */
  readonly modulesToSave: readonly string[];
  readonly bias: Bias;
}

/**
 * The tensors of the base, by our names and in model order, that are trained in full beside adapters on `linears`. Where embedding
 * and head are one matrix, both names mean it. A head of scores always is.
 * @throws UserError for a module that is neither embedding nor head nor norm, and for biases where there are none
 */
export function fullTensors(
  config: ModelConfig,
  names: NameTable,
  { modulesToSave, bias }: FullOptions,
  linears: readonly string[],
): string[] {
  const all = [...expectedTensors(config).keys()];
  const modules = new Map(all.filter(isSavable).map((name) => [name, modulesOf(config, names, name)]));
  const chosen = new Set<string>();
  for (const wanted of modulesToSave) {
    const found = [...modules].filter(([, ours]) => ours.some((module) => `.${module}`.endsWith(`.${wanted}`)));
    if (found.length === 0) throw notSavable(wanted, [...modules.values()].flat());
    for (const [name] of found) chosen.add(name);
  }
  const biases = all.filter((name) => name.endsWith(BIAS) && (bias === 'all' || linears.includes(linearOf(name))));
  if (bias !== 'none' && biases.length === 0) throw withoutBiases(bias);
  if (config.scoreHead) chosen.add('score');
  return all.filter((name) => chosen.has(name) || (bias !== 'none' && biases.includes(name)));
}

/** Names of such tensors, in words. */
export function inFull(full: ReadonlySet<string>): string {
  return full.size === 0 ? 'nothing' : [...full].toSorted().join(', ');
}

const BIAS = '_bias';

/** The linear that a bias belongs to. */
export function linearOf(bias: string): string {
  return bias.slice(0, -BIAS.length);
}

export function biasOf(linear: string): string {
  return linear + BIAS;
}

export function isBias(tensor: string): boolean {
  return tensor.endsWith(BIAS);
}

function isSavable(name: string): boolean {
  return name === 'embed' || name === 'lm_head' || name === 'score' || name.endsWith('_norm');
}

/** Hugging Face's names of the modules whose weight it is. */
function modulesOf({ tieWordEmbeddings }: ModelConfig, names: NameTable, tensor: string): string[] {
  return [tensor, ...(tieWordEmbeddings && tensor === 'embed' ? ['lm_head'] : [])].map((ours) =>
    (findName(names, ours)?.huggingFace ?? ours).replace(/\.weight$/, ''),
  );
}

/**
 * What `adapter` has in place of tensors of `model`.
 * @throws UserError for a tensor that is not the model's, or must not be replaced
 */
export function fullTensorsOf({ path, full, tensors }: PeftAdapter, model: OpenModel): Map<string, Float32Array> {
  const { architecture, config } = model;
  const ours = new Map(
    [...model.tensors.keys()].map((name) => [findName(architecture.names, name)?.huggingFace, name]),
  );
  const values = new Map<string, Float32Array>();
  const isHead = (name: string) => config.tieWordEmbeddings && name === 'lm_head.weight';
  for (const { name, shape, tensor } of full.filter((each) => !isHead(each.name))) {
    const known = ours.get(name);
    const replaced = known === undefined ? undefined : model.tensors.get(known);
    if (known === undefined && name === 'score.weight') throw givesNoText(path);
    if (known === undefined || replaced === undefined) throw otherBase(path, model, `which has no ${name}`);
    if (!isSavable(known) && !isBias(known)) throw notReplaced(path, name);
    const stored = wholeTensor(architecture.names, config, replaced, 'huggingFace');
    if (stored.shape.join() !== shape.join()) {
      const difference = `whose ${name} is [${stored.shape}], where the adapter has [${shape}]`;
      const isResized = hasRowsOfTokens(known) && stored.shape[1] === shape[1];
      throw otherBase(path, model, difference, isResized ? RESIZED : undefined);
    }
    values.set(known, inOurOrder(tensors.float32(tensor), stored));
  }
  if (config.tieWordEmbeddings) {
    const head = full.find(({ name }) => isHead(name));
    const stored = head && tensors.float32(head.tensor);
    if (!isDeepStrictEqual(stored, values.get('embed'))) throw untied(path);
  }
  return values;
}

const hasRowsOfTokens = (name: string): boolean => name === 'embed' || name === 'lm_head';

const RESIZED =
  'its vocabulary was resized: merge it into its base with PEFT (resize_token_embeddings, then merge_and_unload), save the tokenizer with it, and start from the result';

function notSavable(wanted: string, modules: readonly string[]): UserError {
  const known = [...new Set(modules.map((module) => module.split('.').at(-1)))];
  return new UserError({
    what: `lora_modules_to_save names ${wanted}, which is no embedding, head or norm of this model`,
    next: `use ${known.join(', ')}; linear layers of the blocks take an adapter, or adapter: null trains them in full`,
    code: 'adapter_target_unknown',
  });
}

function withoutBiases(bias: Bias): UserError {
  return new UserError({
    what: `peft_bias: ${bias} trains nothing: ${bias === 'all' ? 'no layer of this model' : 'no layer that the adapter is on'} has a bias`,
    next: 'remove peft_bias',
    code: 'adapter_target_unknown',
  });
}

function notReplaced(path: string, name: string): UserError {
  return new UserError({
    what: `the adapter replaces ${name}; Anneal lets adapters replace embeddings, lm_head, norms and biases only`,
    where: path,
    next: 'merge this adapter into its base model with PEFT (merge_and_unload) and start from the result',
    code: 'adapter_target_unsupported',
  });
}

function untied(path: string): UserError {
  return new UserError({
    what: 'the adapter makes embedding and lm_head differ, which are one matrix in this base',
    where: path,
    next: 'use the adapter with PEFT itself, or train one with ensure_weight_tying',
    code: 'adapter_target_unsupported',
  });
}
