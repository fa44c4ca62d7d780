import type { ModelConfig } from './config.ts';

/** Every tensor the model has, by our name, with its shape: rows are outputs, columns inputs. */
export function expectedTensors(config: ModelConfig): Map<string, readonly number[]> {
  const { hiddenSize, intermediateSize, headSize, vocabSize } = config;
  const queryRows = config.headCount * headSize;
  const keyRows = config.kvHeadCount * headSize;
  const shapes = new Map<string, readonly number[]>([['embed', [vocabSize, hiddenSize]]]);
  for (let layer = 0; layer < config.layerCount; layer++) {
    const add = (name: string, ...shape: number[]): unknown => shapes.set(`layers.${layer}.${name}`, shape);
    add('attention_norm', hiddenSize);
    add('q', queryRows, hiddenSize);
    add('k', keyRows, hiddenSize);
    add('v', keyRows, hiddenSize);
    add('o', hiddenSize, queryRows);
    if (config.attentionBias) {
      add('q_bias', queryRows);
      add('k_bias', keyRows);
      add('v_bias', keyRows);
    }
    if (config.outputBias) add('o_bias', hiddenSize);
    if (config.qkNorm) {
      add('q_norm', headSize);
      add('k_norm', headSize);
    }
    add('mlp_norm', hiddenSize);
    add('gate', intermediateSize, hiddenSize);
    add('up', intermediateSize, hiddenSize);
    add('down', hiddenSize, intermediateSize);
    if (config.mlpBias) {
      add('gate_bias', intermediateSize);
      add('up_bias', intermediateSize);
      add('down_bias', hiddenSize);
    }
  }
  shapes.set('final_norm', [hiddenSize]);
  if (!config.tieWordEmbeddings) shapes.set('lm_head', [vocabSize, hiddenSize]);
  return shapes;
}
