import { describe, expect, test } from 'vitest';
import { add } from '../ops/add/op.ts';
import { addBias } from '../ops/add_bias/op.ts';
import { addToStreams } from '../ops/add_to_streams/op.ts';
import { attention } from '../ops/attention/op.ts';
import { doraScale } from '../ops/dora/op.ts';
import { dropout } from '../ops/dropout/op.ts';
import { embedding } from '../ops/embedding/op.ts';
import { embeddingNoise } from '../ops/embedding_noise/op.ts';
import { expertAddBias } from '../ops/expert_add_bias/op.ts';
import { expertCombine, expertDispatch } from '../ops/expert_dispatch/op.ts';
import { expertLinear } from '../ops/expert_linear/op.ts';
import { expertRoute } from '../ops/expert_route/op.ts';
import { expertRouteSigmoid } from '../ops/expert_route_sigmoid/op.ts';
import { expertScaleGates } from '../ops/expert_scale_gates/op.ts';
import { type ExpertActivation, expertSwiglu } from '../ops/expert_swiglu/op.ts';
import { gatedDelta } from '../ops/gated_delta/op.ts';
import { gaussianTop } from '../ops/gaussian_top/op.ts';
import { completeProjection, groupedLinear, type MergedProjection } from '../ops/grouped_linear/op.ts';
import { sigmoidGate, splitGate } from '../ops/head_gate/op.ts';
import { ops } from '../ops/index.ts';
import { latentKeysValues, trimHeads } from '../ops/latent_heads/op.ts';
import { linear } from '../ops/linear/op.ts';
import { expertLinearNf4 } from '../ops/linear_nf4/op.ts';
import { matchMagnitude } from '../ops/match_magnitude/op.ts';
import { mixStreams } from '../ops/mix_streams/op.ts';
import { type PolicyLossOptions, policyLoss, policySums } from '../ops/policy_loss/op.ts';
import { type AnswerInputs, ktoLoss, type PairLossOptions, pairLoss, sides } from '../ops/preference_loss/op.ts';
import { type QkvRopeOptions, qkvRope } from '../ops/qkv_rope/op.ts';
import { rmsNorm } from '../ops/rms_norm/op.ts';
import { rope } from '../ops/rope/op.ts';
import { scale } from '../ops/scale/op.ts';
import { scaleBy } from '../ops/scale_by/op.ts';
import { shortConv } from '../ops/short_conv/op.ts';
import { softCap } from '../ops/soft_cap/op.ts';
import { joinColumns, splitColumns } from '../ops/split_columns/op.ts';
import { splitQkv } from '../ops/split_qkv/op.ts';
import { stateSpace } from '../ops/state_space/op.ts';
import { swiglu, swigluMerged, swigluMergedOp } from '../ops/swiglu/op.ts';
import { cpuDevice } from '../src/device.ts';
import type { Tensor } from '../src/tensor.ts';
import { type Batch, Problem, type Step, someLabels, wrongSlopes } from './problem.ts';

const device = cpuDevice({ threads: 1 });
const T = 5;
const D = 6;
const V = 7;

/** Builds hidden states [T, D] from trained tensors. */
type Build = (p: Problem) => Tensor;
const f32 = { bf16: false };

const rules: Record<string, Build> = {
  add: (p) => add(p.rows('a', T, D), p.rows('b', T, D)),
  'add, an operand used again': (p) => {
    const a = p.rows('a', T, D);
    return add(add(linear(add(a, p.rows('b', T, D)), p.variable('w', [D, D], 'weight'), f32), a), a);
  },
  'add, twice the same': (p) => {
    const x = p.rows('x', T, D);
    return linear(add(x, x), p.variable('w', [D, D], 'weight'), f32);
  },
  add_bias: (p) => addBias(p.rows('x', T, D), p.variable('bias', [D], 'parameter')),
  'attention, grouped heads': (p) => attend(p, { heads: 3, kvHeads: 1, headSize: 2, window: 0, softCap: 0 }),
  'attention, window': (p) => attend(p, { heads: 1, kvHeads: 1, headSize: 6, window: 2, softCap: 0 }),
  'attention, soft cap': (p) => attend(p, { heads: 3, kvHeads: 1, headSize: 2, window: 0, softCap: 1.5 }),
  'attention, sinks': (p) =>
    attend(p, { heads: 3, kvHeads: 1, headSize: 2, window: 2, softCap: 0, sinks: 'parameter' }),
  'attention, frozen sinks': (p) =>
    attend(p, { heads: 3, kvHeads: 3, headSize: 2, window: 0, softCap: 1.5, sinks: 'weight' }),
  // The norm is no function of what is trained here: the rule takes it for a constant.
  dora_scale: (p) =>
    doraScale(p.rows('x', T, D), p.variable('magnitude', [D], 'parameter'), {
      weight: p.variable('w', [D, 4], 'weight'),
      a: p.variable('a', [2, 4], 'weight'),
      b: p.variable('b', [D, 2], 'weight'),
      scale: 0.5,
      rows: [D],
    }),
  dropout: (p) => dropout(p.rows('x', T, D), p.graph.input('seed', 'i32', [2]), 0.3, 4),
  embedding: (p) => embedding(p.graph.input('tokens', 'i32', [T]), p.variable('table', [4, D], 'parameter')),
  embedding_noise: (p) => {
    const seed = p.graph.input('seed', 'i32', [2]);
    return embeddingNoise(p.rows('x', T, D), p.graph.input('cuSeqlens', 'i32', [3]), { alpha: 5, seed });
  },
  'experts, normalized gates': (p) => experts(p, 'parameter', true),
  'experts, gates of all logits': (p) => experts(p, 'parameter', false),
  'experts, frozen': (p) => experts(p, 'weight', true),
  'experts in NF4': (p) => {
    const routes = routesOf(p, true);
    const x = expertDispatch(p.rows('x', T, D), routes);
    return expertCombine(expertLinearNf4(x, p.nf4('w', 3 * D, D), routes.offsets, f32), routes);
  },
  'experts, clamped': (p) => experts(p, 'parameter', true, { alpha: 1.702, limit: 1.5, upOffset: 1 }),
  'expert_route_sigmoid, normalized gates': (p) => sigmoidExperts(p, true),
  'expert_route_sigmoid, sigmoids alone': (p) => sigmoidExperts(p, false),
  expert_scale_gates: (p) => {
    const routes = expertScaleGates(routesOf(p, true), p.variable('scale', [3], 'parameter', { mean: 1 }));
    const x = expertDispatch(p.rows('x', T, D), routes);
    return expertCombine(expertLinear(x, p.variable('w', [3 * D, D], 'weight'), routes.offsets, f32), routes);
  },
  'expert_linear, added to': (p) => {
    const routes = routesOf(p, true);
    const x = expertDispatch(p.rows('x', T, D), routes);
    const [plus, low] = ['w', 'b'].map((name, i) => p.variable(name, [3 * D, i ? 2 : D], i ? 'parameter' : 'weight'));
    const a = p.variable('a', [3 * 2, D], 'parameter');
    const y = expertLinear(x, plus as Tensor, routes.offsets, f32);
    const inner = expertLinear(x, a, routes.offsets, f32);
    return expertCombine(expertLinear(inner, low as Tensor, routes.offsets, { ...f32, alpha: 0.7, plus: y }), routes);
  },
  gated_delta: (p) => deltaRule(p, 'parameter'),
  'gated_delta, decay frozen': (p) => deltaRule(p, 'weight'),
  grouped_linear: (p) => {
    const [first, second, third] = groupedLinear(
      p.rows('x', T, 6),
      [
        { weight: p.variable('w0', [D, 2], 'parameter'), plus: p.rows('c0', T, D) },
        { weight: p.variable('w1', [D, 2], 'parameter'), plus: p.rows('c1', T, D) },
        { weight: p.variable('w2', [D, 2], 'parameter'), plus: p.rows('c2', T, D) },
      ],
      { alpha: 0.7, bf16: false },
    ) as [Tensor, Tensor, Tensor];
    return add(swiglu(first, second), third);
  },
  grouped_linear_merged: (p) => completeProjection({ y: p.rows('c', T, D), added: twoMembers(p, 4, 2) }),
  'latent_keys_values and trim_heads': (p) => {
    const [up, shared] = splitColumns(p.rows('x', T, 12), 10);
    const { keys, values } = latentKeysValues(up, shared, { heads: 2, valueSize: 3 });
    return trimHeads(swiglu(keys, values), { size: 4, kept: 3 });
  },
  'linear, all trained': (p) =>
    linear(p.rows('x', T, 4), p.variable('w', [D, 4], 'parameter'), { ...f32, alpha: 0.7, plus: p.rows('c', T, D) }),
  'linear, weight frozen': (p) => linear(p.rows('x', T, 4), p.variable('w', [D, 4], 'weight'), f32),
  'linear, added to itself': (p) => {
    const x = p.rows('x', T, D);
    return linear(x, p.variable('w', [D, D], 'weight'), { ...f32, plus: x });
  },
  linear_cross_entropy_training: (p) => p.rows('x', T, D),
  'qkv_rope, heads normed': (p) => {
    const norm = (name: string) => p.variable(name, [6], 'weight', { mean: 1 });
    return turnedHeads(p, { q: norm('q'), k: norm('k'), eps: 1e-5, offset: 0 });
  },
  'qkv_rope, heads normed by weights around 0': (p) => {
    const norm = (name: string) => p.variable(name, [6], 'weight');
    return turnedHeads(p, { q: norm('q'), k: norm('k'), eps: 1e-5, offset: 1 });
  },
  qkv_rope: (p) => turnedHeads(p, null),
  rms_norm: (p) => rmsNorm(p.rows('x', T, D), p.variable('g', [D], 'parameter', { mean: 1 }), 1e-5),
  'rms_norm, weights around 0': (p) => rmsNorm(p.rows('x', T, D), p.variable('g', [D], 'parameter'), 1e-5, 1),
  'rms_norm of heads': (p) => rmsNorm(p.rows('x', T, D), p.variable('g', [2], 'parameter', { mean: 1 }), 1e-5),
  'rms_norm, weight frozen, in a residual': (p) => {
    const x = p.rows('x', T, D);
    return add(x, rmsNorm(x, p.variable('g', [D], 'weight', { mean: 1 }), 1e-5));
  },
  rope: (p) => rope(p.rows('x', T, D), angleInputs(p)),
  'rope of a part of each head': (p) => narrowed(p, rope(p.rows('x', T, 16), angleInputs(p), { size: 8 })),
  'rope of neighbors': (p) => narrowed(p, rope(p.rows('x', T, 16), angleInputs(p), { size: 8, interleaved: true })),
  'rope of the end of each head': (p) => narrowed(p, rope(p.rows('x', T, 16), angleInputs(p), { size: 8, first: 2 })),
  scale: (p) => scale(p.rows('x', T, D), 0.7),
  scale_by: (p) => scaleBy(p.rows('x', T, D), p.variable('factor', [1], 'weight', { mean: 1 })),
  'short_conv, gated': (p) => convolved(p, 'parameter', true),
  'short_conv, with a bias': (p) => convolved(p, 'parameter', false, p.variable('bias', [D], 'parameter')),
  'short_conv, bias alone trained': (p) => convolved(p, 'weight', true, p.variable('bias', [D], 'parameter')),
  'short_conv, silu': (p) => convolved(p, 'parameter', false),
  'short_conv, weight frozen': (p) => convolved(p, 'weight', true),
  'sigmoid_gate of all columns': (p) => sigmoidGate(p.rows('x', T, D), p.rows('gate', T, 1)),
  'split_gate and sigmoid_gate': (p) => {
    const { q, gate } = splitGate(p.rows('x', T, 2 * D), 3);
    return sigmoidGate(q, gate);
  },
  state_space: (p) => stateSpaceLayer(p, 'parameter', 'parameter'),
  'state_space, shift alone trained': (p) => stateSpaceLayer(p, 'weight', 'parameter'),
  'state_space, weights frozen': (p) => stateSpaceLayer(p, 'weight', 'weight'),
  split_qkv: (p) => {
    const { q, k, v } = splitQkv({ y: p.rows('x', T, 4 * D), added: null }, { heads: 2, kvHeads: 1 });
    return add(swiglu(k, v), narrowed(p, q));
  },
  gaussian_top: (p) => gaussianTop(p.rows('x', T, D), 0.25),
  soft_cap: (p) => softCap(p.rows('x', T, D), 1.5),
  join_columns: (p) => {
    const [left, right] = splitColumns(joinColumns(p.rows('x', T, 2), p.rows('y', T, 2 * D - 2)), D);
    return swiglu(left, right);
  },
  'mix_streams, three of three': (p) => {
    const all = { first: p.rows('x', T, D), others: p.rows('others', T, 2 * D) };
    const { first, others } = mixStreams(all, p.rows('weights', T, 9), 3);
    return swiglu(first, swiglu(...splitColumns(others, D)));
  },
  'mix_streams, two of one': (p) => {
    const { first, others } = mixStreams({ first: p.rows('x', T, D), others: null }, p.rows('weights', T, 2), 2);
    return swiglu(first, others);
  },
  add_to_streams: (p) => swiglu(...splitColumns(addToStreams(p.rows('x', T, 2 * D), p.rows('y', T, D)), D)),
  match_magnitude: (p) => {
    const matched = matchMagnitude(p.rows('x', T, 2 * D), p.rows('like', T, D), 1e-5);
    return swiglu(...splitColumns(matched, D));
  },
  'swiglu with gelu': (p) => swiglu(p.rows('gate', T, D), p.rows('up', T, D), 'gelu_tanh'),
  'swiglu_merged with gelu': (p) => swigluMerged({ y: p.rows('x', T, 2 * D), added: null }, 'gelu_tanh'),
  swiglu: (p) => swiglu(p.rows('gate', T, D), p.rows('up', T, D)),
  swiglu_merged: (p) => swigluMerged({ y: p.rows('x', T, 2 * D), added: null }),
  'swiglu_merged, products added': (p) => {
    const [factor0, factor1] = ['f0', 'f1'].map((name) => p.variable(name, [D, 2], 'parameter'));
    const inputs = { x: p.rows('x', T, 2 * D), low: p.rows('low', T, 4), factor0, factor1 };
    return p.graph.apply(swigluMergedOp, inputs, { alpha: 0.7, bf16: 0, gelu: 0 }).y;
  },
  'swiglu, gate and up the same': (p) => {
    const x = p.rows('x', T, D);
    return swiglu(x, x);
  },
};

/** Losses over answers: of a pair, the chosen one with a row before it, or of the same two one by one. */
const answerLosses: Record<string, (p: Problem, inputs: AnswerInputs) => Tensor> = {
  'pair_loss, sigmoid with smoothing': (p, inputs) =>
    pairLoss({ ...inputs, reference: referenceOf(p) }, { ...dpo, right: 0.9, wrong: 0.1 }),
  'pair_loss, hinge': (_, inputs) => pairLoss(inputs, { ...dpo, form: 'hinge', beta: 0.01 }),
  'pair_loss, squares of means': (p, inputs) =>
    pairLoss({ ...inputs, reference: referenceOf(p) }, { ...dpo, form: 'square', value: 'mean', beta: 1, gamma: 0.5 }),
  'pair_loss, odds': (_, inputs) => pairLoss(inputs, { ...dpo, value: 'logOdds', right: 0.3 }),
  kto_loss: (p, inputs) =>
    ktoLoss({ ...inputs, reference: referenceOf(p) }, { beta: 0.5, chosenWeight: 1.3, rejectedWeight: 0.7 }),
};

/** Of two sampled answers, one of which is better than the other. */
const policyLosses: Record<string, PolicyLossOptions> = {
  'policy_loss, a ratio for each token': { sequence: false, low: 0.2, high: 0.28, beta: 0.4, correction: true },
  'policy_loss, a ratio for each answer': { sequence: true, low: 0.5, high: 0.5, beta: 0.4, correction: true },
  'policy_loss, the plain divergence': { sequence: true, low: 0.5, high: 0.5, beta: 0.4, correction: false },
};

const policyBatch: Batch = {
  extents: {},
  inputs: {
    'x.ids': Array.from({ length: T }, (_, i) => i),
    labels: someLabels(T, V),
    reference: [-1, -2, -0.5, -3],
    old: [-1.2, -1.6, -1.1, -2],
    rowOffsets: [0, 2, 4],
    advantages: [1.5, -0.7, 0],
    weights: [0.5, 0.3, 0],
    scale: [1],
  },
};

function policyProblem(options: PolicyLossOptions, headKind: 'weight' | 'parameter'): Problem {
  const p = new Problem({ S: 3 });
  const each = (name: string) => p.graph.input(name, 'f32', ['S']);
  p.trainLogps(p.rows('x', T, D), p.variable('head', [V, D], headKind), (logps) =>
    policyLoss(
      {
        logps,
        rowOffsets: p.graph.input('rowOffsets', 'i32', ['S']),
        advantages: each('advantages'),
        weights: each('weights'),
        sums: p.sums(policySums.length),
        old: p.graph.input('old', 'f32', ['R']),
        reference: referenceOf(p),
      },
      options,
    ),
  );
  return p;
}

const dpo: PairLossOptions = {
  form: 'sigmoid',
  value: 'sum',
  beta: 0.8,
  gamma: 0,
  right: 1,
  wrong: 0,
  rewardScale: 1,
  meanRewards: false,
};

const referenceOf = (p: Problem): Tensor => p.graph.input('reference', 'f32', ['R']);

const answersBatch: Batch = {
  extents: {},
  inputs: {
    'x.ids': Array.from({ length: T }, (_, i) => i),
    labels: someLabels(T, V),
    reference: [-1, -2, -0.5, -3],
    rowOffsets: [0, 2, 4],
    answerOffsets: [1, 2, 4],
    side: [sides.chosen, sides.rejected, sides.none],
    scale: [0.25, 0.5],
  },
};

function answerProblem(
  lossOf: (p: Problem, inputs: AnswerInputs) => Tensor,
  headKind: 'weight' | 'parameter',
): Problem {
  const p = new Problem({ S: 3 });
  p.trainAnswers(p.rows('x', T, D), p.variable('head', [V, D], headKind), (inputs) => lossOf(p, inputs));
  return p;
}

/** Two answers, of which each is scored at its last token. */
const scoresBatch: Batch = {
  extents: {},
  inputs: {
    ...answersBatch.inputs,
    labels: [-1, 0, -1, -1, 0],
    rowOffsets: [0, 1, 2],
    answerOffsets: [0, 1, 2],
    margins: [0.3, 0, 0],
  },
};

function scoresProblem(headKind: 'weight' | 'parameter'): Problem {
  const p = new Problem({ S: 3 });
  p.trainScores(p.rows('x', T, D), p.variable('head', [1, D], headKind), (inputs) =>
    pairLoss({ ...inputs, margins: p.graph.input('margins', 'f32', ['S']) }, { ...dpo, center: 0.1 }),
  );
  return p;
}

/** Of two layers, whose last token only fills the batch up. */
const balanceBatch: Batch = {
  extents: {},
  inputs: {
    ...Object.fromEntries(['a.ids', 'b.ids'].map((name) => [name, Array.from({ length: T }, (_, i) => i)])),
    count: [T - 1],
    scale: [0.25],
  },
};

function balanceProblem(): Problem {
  const p = new Problem();
  const layers = ['a', 'b'].map((name) => {
    const logits = p.rows(name, T, 4);
    return { logits, experts: expertRoute(logits, { choices: 2, normalized: true }).experts };
  });
  p.trainBalance(layers);
  return p;
}

/** Of four experts two in one of two groups. */
function sigmoidExperts(p: Problem, normalized: boolean): Tensor {
  const routing = { choices: 2, groups: 2, chosenGroups: 1, normalized, scale: 2.5 };
  const routes = expertRouteSigmoid(p.rows('logits', T, 4), p.variable('bias', [4], 'weight'), routing);
  const x = expertDispatch(p.rows('x', T, D), routes);
  return expertCombine(expertLinear(x, p.variable('w', [4 * D, D], 'weight'), routes.offsets, f32), routes);
}

/** Two heads of values that share one of keys, in documents of two and three. */
function deltaRule(p: Problem, kind: 'weight' | 'parameter'): Tensor {
  const given = {
    qkv: p.rows('x', T, 2 * 4 + D),
    a: p.rows('a', T, 2),
    b: p.rows('b', T, 2),
    decay: p.variable('decay', [2], kind),
    shift: p.variable('shift', [2], kind),
  };
  return gatedDelta(given, p.graph.input('cuSeqlens', 'i32', [3]), { keyHeads: 1, keySize: 4 });
}

/** Over three tokens, in documents of two and three. */
function convolved(p: Problem, kind: 'weight' | 'parameter', gated: boolean, bias?: Tensor): Tensor {
  const x = p.rows('x', T, gated ? 3 * D : D);
  const weights = { weight: p.variable('kernel', [D, 1, 3], kind), ...(bias && { bias }) };
  return shortConv(x, weights, p.graph.input('cuSeqlens', 'i32', [3]), gated);
}

/** Two heads of one group, in documents of two and three. */
function stateSpaceLayer(p: Problem, kind: 'weight' | 'parameter', ofShift: 'weight' | 'parameter'): Tensor {
  const given = {
    xbc: p.rows('xbc', T, D + 2 * 4),
    dt: p.rows('dt', T, 2),
    decay: p.variable('decay', [2], kind),
    shift: p.variable('shift', [2], ofShift),
    skip: p.variable('skip', [2], kind),
  };
  return stateSpace(given, p.graph.input('cuSeqlens', 'i32', [3]), { groups: 1, stateSize: 4 });
}

interface Heads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly window: number;
  readonly softCap: number;
  readonly sinks?: 'weight' | 'parameter';
}

/** Two of three experts for each token. */
function routesOf(p: Problem, normalized: boolean) {
  return expertRoute(p.rows('logits', T, 3), { choices: 2, normalized });
}

function experts(p: Problem, kind: 'weight' | 'parameter', normalized: boolean, activation?: ExpertActivation): Tensor {
  const routes = routesOf(p, normalized);
  const x = expertDispatch(p.rows('x', T, D), routes);
  const gateUp = expertLinear(x, p.variable('gate_up', [3 * 8, D], kind), routes.offsets, f32);
  const biased = expertAddBias(gateUp, p.variable('gate_up_bias', [3 * 8], kind), routes);
  const inner = expertSwiglu(biased, 4, activation);
  const y = expertLinear(inner, p.variable('down', [3 * D, 4], kind), routes.offsets, f32);
  return expertCombine(y, routes);
}

/** Products of rank 2 for so many columns each. */
function twoMembers(p: Problem, first: number, second: number): MergedProjection['added'] {
  const members = [first, second].map((columns, i) => ({ weight: p.variable(`w${i}`, [columns, 2], 'parameter') }));
  return { x: p.rows('low', T, 4), members, alpha: 0.7, bf16: false };
}

/** D columns of more. */
function narrowed(p: Problem, x: Tensor): Tensor {
  return linear(x, p.variable('narrowing', [D, Number(x.shape[1])], 'weight'), f32);
}

const angleInputs = (p: Problem) => ({
  cos: p.graph.input('cos', 'f32', [T, 3]),
  sin: p.graph.input('sin', 'f32', [T, 3]),
});

/** The sum of query, key and value of one head each. */
function turnedHeads(p: Problem, norms: QkvRopeOptions['norms']): Tensor {
  const { q, k, v } = qkvRope({ y: p.rows('x', T, 3 * D), added: null }, angleInputs(p), {
    heads: 1,
    kvHeads: 1,
    norms,
  });
  return add(add(q, k), swiglu(k, v));
}

function attend(p: Problem, { sinks: kind, ...heads }: Heads, { bf16 } = f32): Tensor {
  const [q, k, v] = [
    p.rows('q', T, D),
    p.rows('k', T, heads.kvHeads * heads.headSize),
    p.rows('v', T, heads.kvHeads * heads.headSize),
  ];
  const sinks = kind && p.variable('sinks', [heads.heads], kind);
  return attention(q, k, v, p.graph.input('cuSeqlens', 'i32', [3]), { ...heads, bf16, sinks, scale: 0.8 });
}

/** Values for whichever of these inputs a graph has. */
function batchFor(p: Problem): Batch {
  const ids = [...p.graph.inputs.keys()].filter((name) => name.endsWith('.ids'));
  const angles = Array.from({ length: 3 * T }, (_, i) => i / 4);
  return {
    extents: {},
    inputs: {
      ...Object.fromEntries(ids.map((name) => [name, Array.from({ length: T }, (_, i) => i)])),
      tokens: [2, 0, 2, 3, 2],
      seed: [5, 6],
      cuSeqlens: [0, 2, 5],
      cos: angles.map(Math.cos),
      sin: angles.map(Math.sin),
      labels: someLabels(T, V),
      scale: [0.25],
    },
  };
}

function problemOf(build: Build, headKind: 'weight' | 'parameter'): Problem {
  const p = new Problem();
  p.train(build(p), p.variable('head', [V, D], headKind));
  return p;
}

async function attentionGradients(bf16: boolean): Promise<Step['gradients']> {
  const heads = { heads: 1, kvHeads: 1, headSize: 6, window: 0, softCap: 0 };
  const p = problemOf((problem) => attend(problem, heads, { bf16 }), 'parameter');
  return (await p.step(p.compile({ activations: 'keep' }, device), [batchFor(p)], device)).gradients;
}

describe('backward rules against central differences of the float64 reference', () => {
  test.each(Object.entries(rules))('%s', async (_, build) => {
    for (const headKind of ['weight', 'parameter'] as const) {
      const p = problemOf(build, headKind);
      const batch = batchFor(p);
      const plan = p.compile({ activations: 'keep' }, device);
      const step = await p.step(plan, [batch], device);
      expect(0.25 * step.loss).toBeCloseTo(p.loss([batch]), 5);
      expect(wrongSlopes(p, [batch], step)).toEqual([]);
    }
  });

  test.each(Object.entries(answerLosses))('%s', async (_, lossOf) => {
    for (const headKind of ['weight', 'parameter'] as const) {
      const p = answerProblem(lossOf, headKind);
      const step = await p.step(p.compile({ activations: 'keep' }, device), [answersBatch], device);
      expect(wrongSlopes(p, [answersBatch], step)).toEqual([]);
      expect([...(step.gradients.get('x') as Float32Array)].some((slope) => Math.abs(slope) > 1e-3)).toBe(true);
    }
  });

  test('row_scores, by pairs with a margin and a center', async () => {
    for (const headKind of ['weight', 'parameter'] as const) {
      const p = scoresProblem(headKind);
      const step = await p.step(p.compile({ activations: 'keep' }, device), [scoresBatch], device);
      expect(wrongSlopes(p, [scoresBatch], step)).toEqual([]);
      expect([...(step.gradients.get('x') as Float32Array)].some((slope) => Math.abs(slope) > 1e-3)).toBe(true);
    }
  });

  test('balance_loss, over all layers together', async () => {
    const p = balanceProblem();
    const step = await p.step(p.compile({ activations: 'keep' }, device), [balanceBatch], device);
    expect(0.25 * step.loss).toBeCloseTo(p.loss([balanceBatch]), 5);
    expect(wrongSlopes(p, [balanceBatch], step)).toEqual([]);
    const slopes = Array.from(step.gradients.get('a') as Float32Array, Math.abs);
    expect(slopes.slice(0, 16).some((slope) => slope > 1e-3)).toBe(true);
    expect(slopes.slice(16)).toEqual([0, 0, 0, 0]);
  });

  test.each(Object.entries(policyLosses))('%s', async (_, options) => {
    for (const headKind of ['weight', 'parameter'] as const) {
      const p = policyProblem(options, headKind);
      const step = await p.step(p.compile({ activations: 'keep' }, device), [policyBatch], device);
      expect(step.loss).toBeCloseTo(p.loss([policyBatch]), 5);
      expect(wrongSlopes(p, [policyBatch], step)).toEqual([]);
      expect([...(step.gradients.get('x') as Float32Array)].some((slope) => Math.abs(slope) > 1e-3)).toBe(true);
    }
  });

  test('cover every op that has one', () => {
    const problems = [
      ...Object.values(rules).map((build) => problemOf(build, 'weight')),
      ...Object.values(answerLosses).map((lossOf) => answerProblem(lossOf, 'weight')),
      ...Object.values(policyLosses).map((options) => policyProblem(options, 'weight')),
      scoresProblem('weight'),
      balanceProblem(),
    ];
    const covered = new Set(problems.flatMap(({ graph }) => graph.nodes.map((n) => n.op)));
    for (const op of ops) if (op.backward) expect([...covered].map(({ name }) => name)).toContain(op.name);
  });

  test('a gradient that is 1 % off is noticed', async () => {
    const p = problemOf(rules.swiglu as Build, 'parameter');
    const batch = batchFor(p);
    const step = await p.step(p.compile({ activations: 'keep' }, device), [batch], device);
    for (const [name, gradient] of step.gradients) {
      const largest = gradient.reduce((best, g, i) => (Math.abs(g) > Math.abs(gradient[best] as number) ? i : best), 0);
      const perturbed = gradient.map((g, i) => (i === largest ? 1.01 * g : g));
      const changed = { ...step, gradients: new Map([...step.gradients, [name, perturbed]]) };
      expect(wrongSlopes(p, [batch], changed)).toHaveLength(1);
    }
  });

  // In bf16 the loss has steps, so that differences say nothing: what is near the float32 gradient is right.
  test('attention in bf16 has the gradients of float32, within its rounding', async () => {
    const [exact, rounded] = [await attentionGradients(false), await attentionGradients(true)];
    for (const [name, gradient] of rounded) {
      const expected = exact.get(name) as Float32Array;
      const largest = expected.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
      const error = gradient.reduce((most, g, i) => Math.max(most, Math.abs(g - (expected[i] as number))), 0);
      expect(error, name).toBeGreaterThan(1e-5 * largest);
      expect(error, name).toBeLessThan(2 ** -7 * largest);
    }
  });

  test('a loss that depends on no parameter is refused', () => {
    expect(() => {
      const p = new Problem();
      const x = embedding(p.graph.input('tokens', 'i32', [T]), p.variable('table', [4, D], 'weight'));
      p.train(x, p.variable('head', [V, D], 'weight'));
    }).toThrow('depends on no parameter');
  });
});
