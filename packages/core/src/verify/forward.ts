import { type CpuDevice, compile, Engine, Graph, linear, scratchOf, Variables } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';
import type { LoraSpec } from '../models/adapters/lora.ts';
import { decoder } from '../models/layers/decoder.ts';
import { ModelScope, type WeightOptions } from '../models/layers/modelScope.ts';
import { loadWeights } from '../models/load.ts';
import type { OpenModel } from '../models/open.ts';

export function weightOptions(lora: LoraSpec | null): WeightOptions {
  return { type: 'f32', trainable: false, lora, dropoutSeed: null };
}

/** A program that gives the hidden states and the logits of every token. */
function forwardProgram(variables: Variables, model: OpenModel, lora: LoraSpec | null): Graph {
  const graph = new Graph('forward', variables);
  const scope = new ModelScope(graph, model.config, weightOptions(lora));
  const { hidden, beforeLayer } = decoder(scope, {
    tokens: graph.input('tokens', 'i32', ['T']),
    positions: graph.input('positions', 'i32', ['T']),
    visible: { kind: 'packed', cuSeqlens: graph.input('cuSeqlens', 'i32', ['S']) },
  });
  for (const [i, h] of [...beforeLayer, hidden].entries()) graph.result(`hidden.${i}`, h);
  graph.result('logits', linear(hidden, scope.head(), { bf16: false }));
  return graph;
}

/** The wanted results of one forward pass: `logits` [T, V], `hidden.0` … [T, D]. */
export async function forward(engine: Engine, batch: Batch, wanted: readonly string[]): Promise<Float32Array[]> {
  const { tokens, positions, cuSeqlens } = batch;
  const call = {
    program: 'forward',
    extents: { T: tokens.length, S: cuSeqlens.length },
    inputs: { tokens, positions, cuSeqlens },
  };
  const { results } = await engine.run(
    [call],
    wanted.map((name) => ['forward', name] as const),
  );
  return results as Float32Array[];
}

/** An engine for forward passes of rows like `batch`, with the model's weights loaded. */
export async function forwardEngine(
  model: OpenModel,
  lora: LoraSpec | null,
  device: CpuDevice,
  batch: Batch,
): Promise<Engine> {
  const bounds = { T: batch.tokens.length, S: batch.cuSeqlens.length, N: 1 };
  const graph = forwardProgram(new Variables(), model, lora);
  const engine = new Engine(compile([graph], { bounds, activations: 'keep', scratch: scratchOf(device) }), device);
  await loadWeights(engine, model);
  return engine;
}
