import { compile, type Device, type Engine, type Plan, Variables } from '@anneal/kernels';
import { activationTypeOn } from '../device.ts';
import { allocateEngine } from '../memory.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { loadWeights } from '../models/load.ts';
import type { OpenModel } from '../models/model.ts';
import { nf4Forms, type Quantization } from '../models/nf4.ts';
import { decodeProgram, ownCache, sharedCache } from './programs.ts';

export interface DecodeEngineOptions {
  readonly device: Device;
  readonly weightType: 'f32' | 'bf16';
  readonly quantization?: Quantization | undefined;
  /** Tokens of prompt and answer together. */
  readonly contextLength: number;
  /** Tokens of a prompt that are read at once. */
  readonly promptChunk: number;
  readonly adapter?: LoraWeights | null;
  /** With an adapter each program has a cache of its own, so that both can answer at once. */
  readonly sideBySide?: boolean | undefined;
  /** Tensors that are in memory, and the bytes that the engine takes. */
  readonly onLoad?: ((loaded: number, total: number, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Names of the programs: the model as it is, and with its adapter. */
export const baseProgram = 'base';
export const adaptedProgram = 'adapted';

/**
 * What `generate` runs. With an adapter it has both programs, which share the weights, and the cache unless they are to answer side by
 * side: comparing a tuned model with its base costs no second copy.
 */
export function planDecoding(model: OpenModel, options: DecodeEngineOptions): Plan {
  const { device, weightType, quantization = 'none', contextLength, promptChunk, adapter = null, sideBySide } = options;
  const { config } = model;
  const variables = new Variables();
  const activationType = activationTypeOn(device, weightType);
  const programs = (adapter ? [null, adapter] : [null]).map((lora) => {
    const weights = {
      type: weightType,
      nf4: nf4Forms(model, quantization, lora && loraSpecOf(lora, 0)),
      trainable: false,
      lora: lora && loraSpecOf(lora, 0),
      copies: false,
      dropoutSeed: null,
    };
    const name = lora ? adaptedProgram : baseProgram;
    const cache = adapter && sideBySide ? ownCache(name) : sharedCache;
    // One answer: the CPU's logits lie in memory as they are.
    const chooses = device.kind === 'cuda';
    return decodeProgram(name, variables, { config, weights, activationType, contextLength, chooses, cache });
  });
  const bounds = { T: Math.min(promptChunk, contextLength), S: 2, N: 1, C: 1 };
  return compile(programs, { bounds, activations: 'keep', device });
}

/**
 * An engine with all weights in it.
 * @throws UserError when the memory is not there, or `signal` is aborted
 */
export async function openDecodeEngine(model: OpenModel, options: DecodeEngineOptions): Promise<Engine> {
  const { device, adapter = null, onLoad, signal } = options;
  const plan = planDecoding(model, options);
  const engine = allocateEngine(plan, device, {
    what: 'the model',
    where: model.path,
    next: 'choose a shorter context, bfloat16 weights or a smaller model, or close other programs',
  });
  const onProgress = (loaded: number, total: number): void => onLoad?.(loaded, total, plan.memory.total);
  try {
    await loadWeights(engine, model, { onProgress, signal });
    if (adapter) await writeLora(engine, adapter);
    return engine;
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
