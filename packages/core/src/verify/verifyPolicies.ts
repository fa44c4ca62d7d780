import type { ActivationPolicy, Device } from '@anneal/kernels';
import { randomStep } from '../bench/sft.ts';
import { randomModelOf } from '../bench/shapes.ts';
import { allocateEngine } from '../memory.ts';
import { loraSpec } from '../models/adapters/lora.ts';
import { targetedLinears } from '../models/adapters/targets.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms, type Quantization } from '../models/nf4.ts';
import { initializeLora } from '../trainer/initialize.ts';
import { planTraining } from '../trainer/planTraining.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';

export interface PolicyOutcome {
  readonly policy: ActivationPolicy;
  /** Whether its values are those of the first policy, which keeps everything. */
  readonly isSame: boolean;
  /** What of the model or the device is not as usual. */
  readonly variant: '' | 'nf4' | 'in tiles';
  /** Of the plan, in bytes. */
  readonly memory: { readonly device: number; readonly host: number };
  /** Loss and gradient norm of every step, then the trained parameters. */
  readonly values: Float64Array;
}

/** Enough that launches are recorded, and then repeated. */
const steps = 4;

const documents = { rows: 3, tokens: 128 };

/** Its embedding is not its head, so that it may lie in the host's memory. */
const config = {
  model_type: 'llama',
  vocab_size: 512,
  hidden_size: 256,
  intermediate_size: 704,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  max_position_embeddings: 1024,
  tie_word_embeddings: false,
};

/** What a device can do with activations; `keep` first, which the others must equal in every bit. */
export function policiesOn({ rates }: Device): ActivationPolicy[] {
  return rates.hostBytesPerSecond === null ? ['keep', 'recompute'] : ['keep', 'recompute', 'offload'];
}

/** A few steps of a small random model with LoRA under each policy of the device. */
export async function* verifyPolicies(device: Device): AsyncGenerator<PolicyOutcome> {
  const tiling = { ...device, tileRows: documents.tokens };
  const variants = [
    { variant: '', quantization: 'none', on: device },
    { variant: 'nf4', quantization: 'nf4', on: device },
    { variant: 'in tiles', quantization: 'none', on: tiling },
  ] as const;
  for (const { variant, quantization, on } of variants) {
    let first: Float64Array | undefined;
    for (const policy of policiesOn(device)) {
      const { memory, values } = await train(on, quantization, policy);
      first ??= values;
      yield {
        policy,
        variant,
        memory,
        values,
        isSame: Buffer.from(first.buffer).equals(Buffer.from(values.buffer)),
      };
    }
  }
}

async function train(
  device: Device,
  quantization: Quantization,
  policy: ActivationPolicy,
): Promise<Pick<PolicyOutcome, 'memory' | 'values'>> {
  const model = randomModelOf('a small random model', config);
  const linears = targetedLinears(model.config, model.architecture.names, 'all-linear');
  const lora = loraSpec({ r: 8, alpha: 16, rslora: false, dropout: 0.1 }, linears);
  const { plan, programs } = planTraining({
    config: model.config,
    device,
    weightType: device.activationTypes.includes('bf16') ? 'bf16' : 'f32',
    nf4: nf4Forms(model, quantization),
    lora,
    optimizer: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradNorm: 1, momentBits: 32 },
    maxTokens: documents.rows * documents.tokens,
    activations: policy,
    memoryBudget: Number.POSITIVE_INFINITY,
    hostBudget: Number.POSITIVE_INFINITY,
    sampleContext: 0,
  });
  const engine = allocateEngine(plan, device, { what: 'the test', next: 'close other programs' });
  try {
    await loadWeights(engine, model);
    await initializeLora(engine, lora, 1);
    const training = new TrainingEngine(engine);
    const batches = randomStep(documents.rows, documents.tokens, config.vocab_size);
    const values: number[] = [];
    for (let step = 1; step <= steps; step++) {
      const { loss, gradientNorm } = await training.step(batches, { step, learningRate: 1e-2, seed: 1 });
      values.push(loss, gradientNorm);
    }
    for (const { name } of programs.parameters) values.push(...(await engine.read(name)));
    return { memory: { device: plan.memory.total, host: plan.memory.host }, values: Float64Array.from(values) };
  } finally {
    await engine.dispose();
  }
}
