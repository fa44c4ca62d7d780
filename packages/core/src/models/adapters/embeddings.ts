import { UserError } from '../../errors.ts';
import type { ModelConfig } from '../config.ts';
import type { OpenModel } from '../model.ts';
import type { LoraOptions, LoraSpec } from './lora.ts';
import type { LoraModule, LoraWeights } from './loraWeights.ts';

/** What may carry an adapter behind the linears of the blocks: embedding and output layer. */
export const outerMatrices = ['embed', 'lm_head'] as const;

export function isOuterMatrix(name: string): boolean {
  return name === 'embed' || name === 'lm_head';
}

/** Rows of a table are what a token gets, columns of a linear's matrix what an input gets: A of the embedding, [V, R], is gathered from, too. */
export function factorShapes(name: string, [outputs = 0, inputs = 0]: readonly number[], rank: number) {
  return name === 'embed'
    ? { A: [outputs, rank] as const, B: [inputs, rank] as const }
    : { A: [rank, inputs] as const, B: [outputs, rank] as const };
}

/** Of either matrix: [V, D]. */
export function outerShape({ vocabSize, hiddenSize }: ModelConfig): readonly [number, number] {
  return [vocabSize, hiddenSize];
}

/** As of any linear, so that B · A is what is added to the matrix. */
export function asOfLinear(
  name: string,
  { A, B }: Pick<LoraModule, 'A' | 'B'>,
  rank: number,
): { A: Float32Array; B: Float32Array } {
  return name === 'embed' ? { A: transposed(B, B.length / rank, rank), B: A } : { A, B };
}

/** @param values [rows, columns] */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c] as number;
  return turned;
}

/**
 * @param spec of an adapter that is to be trained
 * @throws UserError for what is not implemented of adapters on embedding and output layer
 */
export function refuseOnOuterMatrices(
  { tieWordEmbeddings }: Pick<ModelConfig, 'tieWordEmbeddings'>,
  { modules, full, tokens, dropout }: LoraSpec,
  { dora, loraBias, initialization = 'plain' }: Pick<LoraOptions, 'dora' | 'loraBias' | 'initialization'>,
): void {
  const outer = outerMatrices.filter((name) => modules.has(name));
  if (outer.length === 0) return;
  // The gradient of the output layer goes to its adapter alone.
  const isInFull = (name: string) => full.has(name) || (name === 'embed' && tokens.length > 0);
  const both = outer.find((name) => isInFull(tieWordEmbeddings ? 'embed' : name));
  if (both) {
    throw unsupported(
      `lora_target_modules puts an adapter on ${both}, of which this recipe trains rows in full`,
      'name it in one of lora_target_modules, lora_modules_to_save and peft_trainable_token_indices',
    );
  }
  const kind = dora
    ? 'peft_use_dora'
    : loraBias
      ? 'peft_lora_bias'
      : initialization === 'plain'
        ? null
        : 'peft_init_lora_weights';
  if (kind) {
    throw unsupported(
      `${kind} is for linear layers of the blocks, not for ${outer.join(' and ')}`,
      `remove ${kind}, or ${outer.join(' and ')} from lora_target_modules`,
    );
  }
  if (dropout > 0 && modules.has('lm_head')) {
    throw unsupported(
      'lora_dropout is not implemented for an adapter on lm_head',
      'set lora_dropout: 0, or remove lm_head from lora_target_modules',
    );
  }
}

function unsupported(what: string, next: string): UserError {
  return new UserError({ what, next, code: 'adapter_target_unsupported' });
}

/** @throws UserError where embedding and output layer are one matrix, which cannot become two */
export function refuseMergeIntoTied({ path, config }: OpenModel, { modules }: LoraWeights): void {
  const outer = outerMatrices.filter((name) => modules.has(name));
  if (!config.tieWordEmbeddings || outer.length === 0) return;
  throw new UserError({
    what: `the adapter cannot be merged: it is on ${outer.join(' and ')}, and embedding and lm_head are one matrix in this base`,
    where: path,
    next: 'export the adapter alone (--lora), or train without it',
    code: 'export_unsupported',
  });
}
