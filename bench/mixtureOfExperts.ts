/**
 * How near a mixture of experts comes to the rate that its active arithmetic has in a dense model: `node bench/mixtureOfExperts.ts NAME`.
 * Optimizer steps with LoRA on the attention, of a model with 8 of 64 experts and of the same with one MLP as wide as 8 experts, in turn.
 * Writes bench/results/NAME.json, or the file after --to: on a GPU's host, as a part of a bundle, that is what comes back.
 */
import { benchSft } from '../packages/core/src/bench/sft.ts';
import { randomModelOf } from '../packages/core/src/bench/shapes.ts';
import { chooseDevice } from '../packages/core/src/device.ts';
import { optional, readArguments } from './arguments.ts';
import { writeResults } from './results.ts';

const { names, values } = readArguments({
  command: 'node bench/mixtureOfExperts.ts',
  about:
    'Measures a step of 8 of 64 experts beside one of a dense model with their active arithmetic; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { device: 'cpu', rounds: 5, steps: 5, to: optional },
});
const [name] = names as [string];
const device = chooseDevice(values.device);
const isGpu = device.kind === 'cuda';

const choices = 8;
const shared = {
  vocab_size: 4096,
  hidden_size: isGpu ? 2048 : 1024,
  num_hidden_layers: isGpu ? 12 : 4,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  head_dim: isGpu ? 128 : 64,
  max_position_embeddings: 8192,
};
const width = isGpu ? 768 : 256;
const models = {
  dense: { ...shared, model_type: 'qwen3', intermediate_size: choices * width },
  experts: {
    ...shared,
    model_type: 'qwen3_moe',
    intermediate_size: choices * width,
    moe_intermediate_size: width,
    num_experts: 64,
    num_experts_per_tok: choices,
    norm_topk_prob: true,
  },
};

function measure(model: keyof typeof models, weightType: 'f32' | 'bf16', sequenceLen: number, profile: boolean) {
  return benchSft({
    model: randomModelOf(model, models[model]),
    device,
    weightType,
    quantization: 'none',
    rows: 1,
    sequenceLen,
    loraR: 16,
    targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj'],
    optimizer: 'adamw_torch',
    activations: 'keep',
    warmup: 1,
    steps: values.steps,
    profile,
  });
}

const median = (rates: readonly number[]): number => rates.toSorted((a, b) => a - b)[rates.length >> 1] as number;

const rows = [];
for (const weightType of isGpu ? (['bf16'] as const) : (['f32', 'bf16'] as const)) {
  for (const sequenceLen of isGpu ? [2048, 4096, 8192] : [512, 2048]) {
    const rates: Record<keyof typeof models, number[]> = { dense: [], experts: [] };
    const profiles: Partial<Record<keyof typeof models, unknown>> = {};
    for (let round = 1; round <= values.rounds; round++) {
      for (const model of ['dense', 'experts'] as const) {
        const measured = await measure(model, weightType, sequenceLen, round === values.rounds);
        rates[model].push(measured.tokensPerSecond);
        profiles[model] = measured['profile'];
      }
    }
    const [dense, experts] = [median(rates.dense), median(rates.experts)];
    const row = { weightType, sequenceLen, dense, experts, ratio: experts / dense, rates, profiles };
    rows.push(row);
    console.log(
      `${weightType}, ${sequenceLen} tokens: experts ${experts.toFixed(0)}, dense ${dense.toFixed(0)} tokens/s: ${(100 * row.ratio).toFixed(0)} %`,
    );
  }
}
const results = {
  suite: 'mixture-of-experts',
  device: device.kind === 'cuda' ? device.name : 'cpu',
  models,
  choices,
  rounds: values.rounds,
  rows,
};
console.log(writeResults(name, results, values.to));
