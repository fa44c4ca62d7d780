/** Checkpoints of sizes that no golden one has: the same random weights at every call. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '@anneal/formats/json';
import { writeSafetensors } from '@anneal/formats/safetensors/write';
import { elementCount } from '@anneal/formats/tensor';
import { architectureOf, readConfig } from '../src/models/index.ts';
import { storedTensors } from '../src/models/stored.ts';
import { expectedTensors } from '../src/models/tensors.ts';

/**
 * @param norm about what the weights of norms are: with small ones deep models change less by rounding
 * @param spread of the weights of matrices around 0, at most
 */
export async function writeRandomModel(folder: string, config: JsonObject, norm = 1, spread = 0.3): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const read = readConfig(config, null, folder);
  const { names } = architectureOf(read.architecture, folder);
  const stored = [...expectedTensors(read)].flatMap(([name, shape]) =>
    storedTensors(names, read, { name, shape }, 'huggingFace'),
  );
  let state = 1;
  /** Park and Miller 1988, from -1 to 1. */
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return (2 * state) / 2_147_483_647 - 1;
  };
  const weights = (shape: readonly number[]): Uint8Array => {
    const [middle, most] = shape.length === 1 ? [norm, 0.3 * norm] : [0, spread];
    const values = Float32Array.from({ length: elementCount(shape) }, () => middle + most * next());
    return new Uint8Array(values.buffer);
  };
  await writeSafetensors(
    join(folder, 'model.safetensors'),
    stored.map(({ name, shape }) => ({ name, shape, dtype: 'F32', bytes: () => weights(shape) })),
  );
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  return folder;
}

/** What llama.cpp takes from the name of the architecture, in as few layers as have all kinds. @param rows of the table of the layers */
export function gemma3nOfKnownSizes(rows: number): JsonObject {
  const layers = 22;
  return {
    num_hidden_layers: layers,
    num_kv_shared_layers: 2,
    layer_types: Array.from({ length: layers }, (_, layer) =>
      layer % 5 === 4 ? 'full_attention' : 'sliding_attention',
    ),
    activation_sparsity_pattern: Array.from({ length: layers }, (_, layer) => (layer < 10 ? 0.95 : 0)),
    hidden_size_per_layer_input: 256,
    vocab_size_per_layer_input: rows,
    laurel_rank: 64,
  };
}
