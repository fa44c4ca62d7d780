import type { ActivationPolicy, Device } from '@anneal/kernels';
import { randomStep } from '../bench/sft.ts';
import { randomModelOf } from '../bench/shapes.ts';
import { allocateEngine } from '../memory.ts';
import { loraSpec } from '../models/adapters/lora.ts';
import { targetedLinears } from '../models/adapters/targets.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms, type Quantization } from '../models/nf4.ts';
import { supervised } from '../objectives/supervised.ts';
import { initializeLora } from '../trainer/initialize.ts';
import { usualAdamw } from '../trainer/optimizer.ts';
import { planTraining } from '../trainer/planTraining.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';

export interface PolicyOutcome {
  /** The policy, and what of the model or the device is not as usual. */
  readonly name: string;
  /** Of the plan, in bytes. */
  readonly memory: { readonly device: number; readonly host: number };
  /** What came out: loss and gradient norm of every step, then the trained parameters. */
  readonly values: ReadonlyMap<string, Float64Array>;
  /** Where that differs from what the first policy gives, which keeps everything; null where every bit is the same. */
  readonly difference: string | null;
}

interface Variant {
  readonly name: string;
  readonly policy: ActivationPolicy;
  readonly device: Device;
  readonly quantization: Quantization;
  readonly rank: number;
  readonly dropout: number;
  readonly hostBudget: number;
}

/** On a GPU enough that launches are recorded, and then repeated. */
const steps = { cpu: 2, cuda: 4 };
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

/** Those that a device can tell apart – a processor few –, each series with the one first that the others must equal in every bit. */
export function policiesOn(device: Device): Variant[][] {
  const hasHost = device.rates.hostBytesPerSecond !== null;
  const everything = Number.POSITIVE_INFINITY;
  const usual: Omit<Variant, 'name' | 'policy'> = {
    device,
    quantization: 'none',
    rank: 16,
    dropout: 0,
    hostBudget: everything,
  };
  const series = (note: string, changes: Partial<Variant>): Variant[] => {
    const policies = ['keep', 'recompute', ...(hasHost ? (['offload'] as const) : [])] as const;
    return policies.map((policy) => ({ ...usual, ...changes, name: note ? `${policy}, ${note}` : policy, policy }));
  };
  const tiles = series('in tiles', { device: { ...device, tileRows: documents.tokens } });
  if (!hasHost) return [series('', {}), tiles];
  const [keep, recompute, offload] = series('', {}) as [Variant, Variant, Variant];
  const again = { ...keep, name: 'keep, again' };
  const onDevice = { ...recompute, name: 'recompute, nothing in the host', hostBudget: 0 };
  return [
    [keep, again, recompute, onDevice, offload],
    series('nf4', { quantization: 'nf4' }),
    series('rank 8 and dropout', { rank: 8, dropout: 0.1 }),
    tiles,
  ];
}

/** A few steps of a small random model with LoRA under each policy of the device. */
export async function* verifyPolicies(device: Device): AsyncGenerator<PolicyOutcome> {
  for (const series of policiesOn(device)) {
    let first: PolicyOutcome['values'] | undefined;
    for (const variant of series) {
      const { memory, values } = await train(variant);
      first ??= values;
      yield { name: variant.name, memory, values, difference: describeDifference(first, values) };
    }
  }
}

/** In the order in which they were computed, so that the first that differs tells where to look. */
export function describeDifference(first: PolicyOutcome['values'], values: PolicyOutcome['values']): string | null {
  const found = [...values].flatMap(([name, own]) => {
    const other = first.get(name) as Float64Array;
    const at = own.findIndex((value, i) => !Object.is(value, other[i]));
    if (at < 0) return [];
    return [`${name}${own.length > 1 ? `[${at}]` : ''} is ${own[at]}, not ${other[at]}`];
  });
  const [where] = found;
  return where === undefined ? null : `${where}; in all ${found.length} of ${values.size} differ`;
}

async function train({
  policy,
  device,
  quantization,
  rank,
  dropout,
  hostBudget,
}: Variant): Promise<Pick<PolicyOutcome, 'memory' | 'values'>> {
  const model = randomModelOf('a small random model', config);
  const linears = targetedLinears(model.config, model.architecture.names, 'all-linear');
  const lora = loraSpec({ r: rank, alpha: 16, rslora: false, dora: false, dropout }, linears);
  const { plan, programs } = planTraining({
    config: model.config,
    device,
    weightType: device.activationTypes.includes('bf16') ? 'bf16' : 'f32',
    nf4: nf4Forms(model, quantization),
    lora,
    objective: supervised,
    optimizer: usualAdamw,
    maxTokens: documents.rows * documents.tokens,
    activations: policy,
    memoryBudget: Number.POSITIVE_INFINITY,
    hostBudget,
    sampleContext: 0,
  });
  const engine = allocateEngine(plan, device, { what: 'the test', next: 'close other programs' });
  try {
    await loadWeights(engine, model);
    await initializeLora(engine, lora, 1);
    const training = new TrainingEngine(engine, supervised);
    const batches = randomStep(documents.rows, documents.tokens, config.vocab_size);
    const values = new Map<string, Float64Array>();
    for (let step = 1; step <= steps[device.kind]; step++) {
      const { loss, gradientNorm } = await training.step(batches, { step, learningRate: 1e-2, seed: 1 });
      values.set(`loss of step ${step}`, Float64Array.of(loss));
      values.set(`gradient norm of step ${step}`, Float64Array.of(gradientNorm));
    }
    for (const { name } of programs.parameters) values.set(name, Float64Array.from(await engine.read(name)));
    return { memory: { device: plan.memory.total, host: plan.memory.host }, values };
  } finally {
    await engine.dispose();
  }
}
