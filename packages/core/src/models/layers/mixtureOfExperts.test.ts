import { cpuDevice, Engine } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { randomStep } from '../../bench/sft.ts';
import { randomModelOf } from '../../bench/shapes.ts';
import { supervised } from '../../objectives/supervised.ts';
import { initializeLora } from '../../trainer/initialize.ts';
import { usualAdamw } from '../../trainer/optimizer.ts';
import { planTraining } from '../../trainer/planTraining.ts';
import { TrainingEngine } from '../../trainer/trainingEngine.ts';
import { targetedExperts } from '../adapters/experts.ts';
import { loraSpec } from '../adapters/lora.ts';
import { targetedLinears } from '../adapters/targets.ts';
import { loadWeights } from '../load.ts';
import { nf4Forms } from '../nf4.ts';

/** The first layer is dense, and 3 of 8 experts of odd width make the rest. */
const config = {
  model_type: 'qwen3_moe',
  vocab_size: 64,
  hidden_size: 64,
  intermediate_size: 96,
  moe_intermediate_size: 40,
  num_experts: 8,
  num_experts_per_tok: 3,
  norm_topk_prob: true,
  mlp_only_layers: [0],
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 256,
};

interface Variant {
  readonly threads?: number;
  readonly policy?: 'keep' | 'recompute';
  readonly weightType?: 'f32' | 'bf16';
  readonly quantization?: 'none' | 'nf4';
  readonly full?: boolean;
  /** The experts get an adapter, too. */
  readonly adapted?: boolean;
}

/** Losses and gradient norms of three steps, and the bits of what was trained. */
async function train({
  threads = 1,
  policy = 'keep',
  weightType = 'f32',
  quantization = 'none',
  full,
  adapted,
}: Variant) {
  const device = cpuDevice({ threads });
  const model = randomModelOf('a small mixture of experts', config);
  const { names } = model.architecture;
  const experts = targetedExperts(model.config, names, adapted ? ['gate_up_proj', 'down_proj'] : []);
  const linears = [...targetedLinears(model.config, names, 'all-linear'), ...experts];
  const lora = full ? null : loraSpec({ r: 4, alpha: 8, rslora: false, dora: false, dropout: 0 }, linears);
  const { plan, programs } = planTraining({
    config: model.config,
    device,
    weightType,
    nf4: nf4Forms(model, quantization),
    lora,
    objective: supervised,
    optimizer: usualAdamw,
    maxTokens: 150,
    activations: policy,
    memoryBudget: Number.POSITIVE_INFINITY,
    hostBudget: 0,
    sampleContext: 0,
  });
  const engine = new Engine(plan, device);
  await loadWeights(engine, model);
  if (lora) await initializeLora(engine, lora, 1);
  await using training = new TrainingEngine(engine, supervised);
  const steps: number[] = [];
  for (let step = 1; step <= 3; step++) {
    const result = await training.step(randomStep(3, 50, 64), { step, learningRate: 1e-2, seed: 1 });
    steps.push(result.loss, result.gradientNorm);
  }
  const trained = [];
  for (const { name } of programs.parameters) trained.push([name, await engine.read(name)] as const);
  return { steps, trained, memory: plan.memory };
}

test.each([{ full: false }, { full: true }, { adapted: true }])(
  'the same bits with any policy and number of threads: %j',
  async (how) => {
    const kept = await train(how);
    expect(kept.steps.at(-2)).toBeLessThan(kept.steps[0] as number);
    const again = await train({ ...how, policy: 'recompute', threads: 3 });
    expect(again.steps).toEqual(kept.steps);
    expect(again.trained).toEqual(kept.trained);
    expect(again.memory.activations).toBeLessThan(kept.memory.activations);
  },
);

test('a dense layer has its MLP, the others router and experts; all are trained', async () => {
  const { trained } = await train({ full: true });
  expect(trained.map(([name]) => name)).toContain('layers.1.router');
  expect(trained.map(([name]) => name)).toContain('layers.2.experts_gate_up');
  expect(trained.map(([name]) => name)).toContain('layers.0.down');
  expect(trained.map(([name]) => name)).not.toContain('layers.0.router');
});

test.each([false, true])(
  'bfloat16 and NF4 are near, hold the experts in fewer bytes, and are not the same: adapted %s',
  async (adapted) => {
    const exact = await train({ adapted });
    const rounded = await train({ adapted, weightType: 'bf16' });
    const quantized = await train({ adapted, quantization: 'nf4' });
    for (const { steps, memory } of [rounded, quantized]) {
      expect(steps).not.toEqual(exact.steps);
      for (const [i, value] of steps.entries())
        expect(Math.abs(value - (exact.steps[i] as number))).toBeLessThan(0.15 * value);
      expect(memory.weights).toBeLessThan(0.55 * exact.memory.weights);
    }
  },
);
