/** The engines in which reference values of preferences are computed again. */

import type { SafetensorsSource } from '@anneal/formats/safetensors/read';
import { compile, type Device, Engine, float32Of, Graph, Variables } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { mergedWeights } from '../models/adapters/merge.ts';
import { decoder } from '../models/layers/decoder.ts';
import { ModelScope } from '../models/layers/modelScope.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms } from '../models/nf4.ts';
import type { OpenModel } from '../models/open.ts';
import { labelLogps, supervisedRows } from '../objectives/labels.ts';
import type { Objective } from '../objectives/objective.ts';
import { trainingPrograms } from '../trainer/programs.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';
import { float32 } from './forward.ts';
import type { GoldenPreference } from './goldenPreference.ts';
import { optimizerOf } from './goldenTraining.ts';

/** Sums of log p near 50 carry 1e-5 in the reference's float32, which a loss may pass on. */
export const preferenceTolerance = { loss: 2e-5, logp: 1e-5, measure: 1e-4 };

/** Policy: the base with its adapter; reference: without. One variant trains every weight of the two merged. */
export const fullVariant = 'full_parameters';

export interface Subject {
  readonly golden: GoldenPreference;
  readonly tensors: SafetensorsSource;
  readonly model: OpenModel;
  readonly adapter: LoraWeights;
  readonly device: Device;
}

/** f32[R]: of the base, or with its adapter. */
export async function logpsOf(
  { model, adapter, device }: Subject,
  batch: Batch,
  adapted: boolean,
): Promise<Float32Array> {
  const graph = new Graph('logps', new Variables());
  const nf4 = nf4Forms(model, 'none');
  const lora = adapted ? loraSpecOf(adapter, 0) : null;
  const weights = { type: 'f32', nf4, trainable: false, lora, copies: false, dropoutSeed: null } as const;
  const scope = new ModelScope(graph, model.config, weights);
  const { hidden } = decoder(scope, {
    tokens: graph.input('tokens', 'i32', ['T']),
    positions: graph.input('positions', 'i32', ['T']),
    visible: { kind: 'packed', cuSeqlens: graph.input('cuSeqlens', 'i32', ['S']) },
  });
  graph.result('logps', labelLogps(graph, { head: scope.head(hidden), bf16: scope.bf16 }, device.logitRows));
  const { tokens, positions, cuSeqlens, labels } = batch;
  const rows = supervisedRows(labels);
  const extents = { T: tokens.length, S: cuSeqlens.length, R: rows.length };
  const engine = new Engine(compile([graph], { bounds: extents, activations: 'keep', device }), device);
  try {
    await loadWeights(engine, model);
    if (adapted) await writeLora(engine, adapter);
    const inputs = { tokens, positions, cuSeqlens, labels, supervisedRows: rows };
    const { results } = await engine.run([{ program: 'logps', extents, inputs, results: ['logps'] }]);
    return float32Of(results[0] as Float32Array);
  } finally {
    await engine.dispose();
  }
}

export async function openPreferenceTraining(
  of: Subject,
  name: string,
  objective: Objective,
  tokens: number,
): Promise<TrainingEngine> {
  const { golden, model, adapter, device } = of;
  const isFull = name === fullVariant;
  const { graphs } = trainingPrograms({
    config: model.config,
    ...float32,
    nf4: nf4Forms(model, 'none'),
    logitRows: device.logitRows,
    lora: isFull ? null : loraSpecOf(adapter, 0),
    objective,
    optimizer: optimizerOf(golden.optimizer),
  });
  // A prompt with another's answer may be longer than either document.
  const bounds = { T: 2 * tokens, S: tokens, R: 2 * tokens };
  const engine = new Engine(compile(graphs, { bounds, activations: 'keep', device }), device);
  await loadWeights(engine, model);
  if (!isFull) await writeLora(engine, adapter);
  else
    for (const key of adapter.modules.keys()) await engine.write(key, await mergedWeights(model, adapter, key), 'f32');
  return new TrainingEngine(engine, objective);
}
