import { type ActivationType, compile, type Device, Engine, float32Of, Graph, Variables } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';
import type { LoraSpec } from '../models/adapters/lora.ts';
import { decoder } from '../models/layers/decoder.ts';
import { ModelScope } from '../models/layers/modelScope.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms } from '../models/nf4.ts';
import type { OpenModel } from '../models/open.ts';

export interface Precision {
  readonly weightType: 'f32' | 'bf16';
  readonly activationType: ActivationType;
}

export const float32: Precision = { weightType: 'f32', activationType: 'f32' };

/** A program that gives the hidden states and the logits of every token. */
function forwardProgram(
  variables: Variables,
  model: OpenModel,
  lora: LoraSpec | null,
  { weightType, activationType }: Precision,
): Graph {
  const graph = new Graph('forward', variables, activationType);
  const weights = {
    type: weightType,
    nf4: nf4Forms(model, 'none', lora),
    trainable: false,
    lora,
    copies: false,
    dropoutSeed: null,
  } as const;
  const scope = new ModelScope(graph, model.config, weights);
  const { hidden, states } = decoder(scope, {
    tokens: graph.input('tokens', 'i32', ['T']),
    positions: graph.input('positions', 'i32', ['T']),
    visible: { kind: 'packed', cuSeqlens: graph.input('cuSeqlens', 'i32', ['S']) },
  });
  for (const [i, h] of states.entries()) graph.result(`hidden.${i}`, h);
  graph.result('logits', scope.logits(hidden));
  return graph;
}

/** The wanted results of one forward pass: `logits` [T, V], `hidden.0` … [T, D], or with all streams. */
export async function forward(engine: Engine, batch: Batch, wanted: readonly string[]): Promise<Float32Array[]> {
  const { tokens, positions, cuSeqlens } = batch;
  const call = {
    program: 'forward',
    extents: { T: tokens.length, S: cuSeqlens.length },
    inputs: { tokens, positions, cuSeqlens },
    results: wanted,
  };
  const { results } = await engine.run([call]);
  return results.map(float32Of);
}

/** Opens an engine for forward passes of rows like `batch`, with the model's weights loaded, for as long as `use` takes. */
export async function withForwardEngine<R>(
  model: OpenModel,
  lora: LoraSpec | null,
  device: Device,
  batch: Batch,
  use: (engine: Engine) => Promise<R>,
  precision: Precision = float32,
): Promise<R> {
  const bounds = { T: batch.tokens.length, S: batch.cuSeqlens.length, N: 1 };
  const graph = forwardProgram(new Variables(), model, lora, precision);
  const engine = new Engine(compile([graph], { bounds, activations: 'keep', device }), device);
  try {
    await loadWeights(engine, model);
    return await use(engine);
  } finally {
    await engine.dispose();
  }
}
