import type { PeftAdapter } from '@anneal/formats/peft/read';
import type { Engine, Tensor, Variables } from '@anneal/kernels';
import { UserError } from '../../errors.ts';
import type { ModelConfig } from '../config.ts';
import type { ModelTensor, OpenModel } from '../model.ts';
import { otherBase } from './otherBase.ts';
import { moduleName } from './targets.ts';

/**
 * Rows of the embedding that are trained, those of some tokens, in place of the base's. Where the embedding is the output layer, too, its
 * rows follow.
 */
export interface TokenRows {
  readonly ids: readonly number[];
  /** [ids, hidden size] */
  readonly values: Float32Array;
}

/** The embedding with its trained rows, its gradient, and these alone: what an optimizer moves. */
export interface TokenVariables {
  /** f32[V, D]: what the model reads. Its gradient is dense. */
  readonly embedding: Tensor;
  /** f32[n, D] */
  readonly rows: Tensor;
  /** i32[n] */
  readonly ids: Tensor;
}

export const tokenNames = {
  embedding: 'adapter/embed.full',
  rows: 'adapter/embed.rows',
  ids: 'adapter/embed.ids',
} as const;

export function tokenVariables(
  variables: Variables,
  { vocabSize, hiddenSize }: ModelConfig,
  tokens: readonly number[],
): TokenVariables {
  const parameter = { dtype: 'f32', kind: 'parameter' } as const;
  return {
    embedding: variables.get(tokenNames.embedding, { ...parameter, shape: [vocabSize, hiddenSize] }),
    rows: variables.get(tokenNames.rows, { ...parameter, shape: [tokens.length, hiddenSize] }),
    ids: variables.get(tokenNames.ids, { shape: [tokens.length], dtype: 'i32', kind: 'weight' }),
  };
}

/** The base's embedding is in the engine; these rows come in their places, and where a plan trains them in their own. */
export async function writeTokens(engine: Engine, { ids, values }: TokenRows): Promise<void> {
  const width = values.length / ids.length;
  for (const [i, id] of ids.entries()) {
    await engine.write(tokenNames.embedding, values.slice(i * width, (i + 1) * width), 'f32', id * width);
  }
  if (!engine.plan.variables.has(tokenNames.rows)) return;
  await engine.write(tokenNames.rows, values, 'f32');
  await engine.write(tokenNames.ids, Int32Array.from(ids), 'i32');
}

export async function readTokens(engine: Engine, ids: readonly number[]): Promise<TokenRows | null> {
  return ids.length === 0 ? null : { ids, values: (await engine.read(tokenNames.rows)) as Float32Array };
}

/** The rows as the base has them. */
export function tokensOfBase({ tensors }: OpenModel, ids: readonly number[]): TokenRows {
  const embedding = tensors.get('embed') as ModelTensor;
  const { rowGroup } = embedding;
  const [, width = 0] = embedding.shape;
  const values = new Float32Array(ids.length * width);
  for (const [i, id] of ids.entries()) {
    const inGroup = id % rowGroup;
    const group = embedding.float32({ first: id - inGroup, count: rowGroup });
    values.set(group.subarray(inGroup * width, (inGroup + 1) * width), i * width);
  }
  return { ids, values };
}

/** What `adapter` has in place of rows of the embedding of `model`; null where it has none. @throws UserError for another base's */
export function tokensOf({ path, tokens, tensors }: PeftAdapter, model: OpenModel): TokenRows | null {
  if (!tokens) return null;
  const { vocabSize, hiddenSize } = model.config;
  const embedding = moduleName(model.architecture.names, 'embed');
  const fits = tokens.name === embedding && tokens.width === hiddenSize && Math.max(...tokens.ids) < vocabSize;
  if (!fits) {
    const difference = `whose ${embedding} is [${vocabSize},${hiddenSize}], where the adapter has rows of ${tokens.name} up to ${Math.max(...tokens.ids)}, ${tokens.width} wide`;
    throw otherBase(path, model, difference);
  }
  return { ids: tokens.ids, values: tensors.float32(tokens.tensor) };
}

/** @throws UserError for tokens that the model does not have, and where all rows are trained anyhow */
export function refuseTokens(
  tokens: readonly number[],
  { config: { vocabSize } }: OpenModel,
  full: readonly string[],
): void {
  const beyond = tokens.find((id) => id >= vocabSize);
  if (beyond !== undefined) {
    throw new UserError({
      what: `peft_trainable_token_indices names token ${beyond}, and this model has ${vocabSize}`,
      next: `use ids from 0 to ${vocabSize - 1}`,
      code: 'out_of_range',
    });
  }
  if (tokens.length > 0 && full.includes('embed')) {
    throw new UserError({
      what: 'lora_modules_to_save trains every row of the embedding, peft_trainable_token_indices some of them',
      next: 'remove one of the two',
      code: 'impossible_combination',
    });
  }
}

/** Tokens, in words. */
export function inTokens(ids: readonly number[]): string {
  return ids.length === 0 ? 'no tokens' : `tokens ${ids.join(', ')}`;
}
