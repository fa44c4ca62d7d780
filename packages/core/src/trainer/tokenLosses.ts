import { compile, type Device, type Engine, type Plan, Variables } from '@anneal/kernels';
import { buildBatch } from '../datasets/batch.ts';
import type { TokenStore } from '../datasets/tokenStore.ts';
import { activationTypeOn } from '../device.ts';
import { allocateEngine } from '../memory.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { loadWeights } from '../models/load.ts';
import type { OpenModel } from '../models/model.ts';
import { nf4Forms, type Quantization } from '../models/nf4.ts';
import { supervised } from '../objectives/supervised.ts';
import { batchCall } from './batchCall.ts';
import { adaptHeadPrograms, evaluateProgram } from './evaluatePrograms.ts';

export interface TokenLossOptions {
  readonly device: Device;
  readonly weightType: 'f32' | 'bf16';
  readonly quantization: Quantization;
  readonly adapter: LoraWeights | null;
  /** Tensors that are in memory. */
  readonly onLoad?: ((loaded: number, total: number) => void) | undefined;
  /** Is told each document's losses, one for each target token, in order. */
  readonly onDocument: (document: number, losses: Float64Array) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The loss of every target token of these documents, by the model's weights as they are: each document alone, without dropout.
 * @throws UserError when the memory is not there, or `signal` is aborted while the weights are loaded; its reason, afterwards
 */
export async function measureTokenLosses(
  model: OpenModel,
  store: TokenStore,
  documents: readonly number[],
  { device, adapter, onLoad, onDocument, signal, ...options }: TokenLossOptions,
): Promise<void> {
  const longest = Math.max(1, ...documents.map((document) => store.lengths[document] as number));
  const engine = allocateEngine(planTokenLosses(model, longest, { device, adapter, ...options }), device, {
    what: 'measuring the losses of these rows',
    where: model.path,
    next: 'close other programs or loaded models, or wait until nothing trains on this device',
  });
  try {
    await loadWeights(engine, model, { ...(onLoad && { onProgress: onLoad }), signal });
    if (adapter) await writeLora(engine, adapter);
    for (const document of documents) {
      signal?.throwIfAborted();
      onDocument(document, await lossesOf(engine, store, document));
    }
  } finally {
    await engine.dispose();
  }
}

function planTokenLosses(
  model: OpenModel,
  longest: number,
  {
    device,
    weightType,
    quantization,
    adapter,
  }: Pick<TokenLossOptions, 'device' | 'weightType' | 'quantization' | 'adapter'>,
): Plan {
  const weights = {
    type: weightType,
    nf4: nf4Forms(model, quantization, adapter && loraSpecOf(adapter, 0)),
    trainable: false,
    lora: adapter && loraSpecOf(adapter, 0),
    copies: false,
    dropoutSeed: null,
  };
  const activationType = activationTypeOn(device, weightType);
  const { config } = model;
  const variables = new Variables();
  const logitRows = device.logitRows;
  const program = evaluateProgram(variables, { config, weights, activationType, logitRows, objective: supervised });
  const programs = [program, ...adaptHeadPrograms(variables, { config, weights, activationType })];
  return compile(programs, { bounds: { T: longest, S: 2, R: longest }, activations: 'keep', device });
}

async function lossesOf(engine: Engine, store: TokenStore, document: number): Promise<Float64Array> {
  const call = batchCall(engine, supervised, 'evaluate', buildBatch(store, [document]), { results: ['rows'] });
  const { results } = await engine.run([call]);
  return results[0] as Float64Array;
}
