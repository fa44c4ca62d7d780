import { join } from 'node:path';
import type { GgufValue } from '@anneal/formats/gguf/metadata';
import { writeGguf } from '@anneal/formats/gguf/write';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { UserError } from '../../errors.ts';
import { type OpenModel, openModel } from '../open.ts';
import { inverseFrequencies } from '../rope.ts';
import { interleaveHeads, separateHeads } from './heads.ts';
import { llama3ScalingOf, ROPE_FACTORS, ropeFactors } from './ropeFactors.ts';

describe('rows of heads', () => {
  test('by hand: a head of six rows', () => {
    expect([...interleaveHeads(Uint8Array.of(0, 1, 2, 3, 4, 5), 6, 6)]).toEqual([0, 3, 1, 4, 2, 5]);
    expect([...separateHeads(Uint8Array.of(0, 3, 1, 4, 2, 5), 6, 6)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('one undoes the other', () => {
    const sizes = fc.record({ heads: fc.integer({ min: 1, max: 4 }), half: fc.integer({ min: 1, max: 8 }) });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5 }), ({ heads, half }, rowBytes) => {
        const rows = heads * half * 2;
        const bytes = Uint8Array.from({ length: rows * rowBytes }, (_, at) => at);
        expect(separateHeads(interleaveHeads(bytes, rows, half * 2), rows, half * 2)).toEqual(bytes);
      }),
    );
  });
});

describe('rope factors', () => {
  const scaling = {
    kind: 'llama3',
    factor: 32,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  } as const;

  test('short waves are kept, long ones divided by the factor, and the rule is found again', () => {
    const factors = ropeFactors(64, 5e5, scaling);
    expect(factors[0]).toBe(1);
    expect(factors.at(-1)).toBe(32);
    expect(llama3ScalingOf(factors, 5e5, 8192, 'x')).toEqual(scaling);
  });

  test('factors of another rule are refused', () => {
    const factors = ropeFactors(64, 5e5, scaling).map((factor) => factor ** 1.01);
    expect(() => llama3ScalingOf(factors, 5e5, 8192, 'x')).toThrow("does not follow Llama 3's rule");
  });
});

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('gguf');
});

const uint32 = (value: number): GgufValue => ({ type: 'uint32', value });
const float32 = (value: number): GgufValue => ({ type: 'float32', value });

/** A Llama of one layer with two heads of four, as some other program may have written it. */
const LLAMA = new Map<string, GgufValue>([
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['llama.block_count', uint32(1)],
  ['llama.context_length', uint32(64)],
  ['llama.embedding_length', uint32(8)],
  ['llama.feed_forward_length', uint32(12)],
  ['llama.attention.head_count', uint32(2)],
  ['llama.attention.layer_norm_rms_epsilon', float32(1e-5)],
  ['llama.rope.freq_base', float32(1e5)],
]);
const SHAPES: [string, number[]][] = [
  ['token_embd.weight', [5, 8]],
  ['output_norm.weight', [8]],
  ['blk.0.attn_norm.weight', [8]],
  ...['q', 'k', 'v'].map((part): [string, number[]] => [`blk.0.attn_${part}.weight`, [8, 8]]),
  ['blk.0.attn_output.weight', [8, 8]],
  ['blk.0.ffn_norm.weight', [8]],
  ['blk.0.ffn_gate.weight', [12, 8]],
  ['blk.0.ffn_up.weight', [12, 8]],
  ['blk.0.ffn_down.weight', [8, 12]],
];

async function opened(changes: [string, GgufValue][] = [], more: [string, number[]][] = []): Promise<OpenModel> {
  const path = join(folder, 'model.gguf');
  const tensors = [...SHAPES, ...more].map(([name, shape]) => ({
    name,
    shape,
    type: 'F32' as const,
    bytes: () =>
      new Uint8Array(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => at + 1).buffer),
  }));
  await writeGguf(path, new Map([...LLAMA, ...changes]), tensors);
  return openModel(path);
}

test('a minimal Llama: what the metadata leave out follows from the rest', async () => {
  const model = await opened();
  expect(model.config).toEqual({
    architecture: 'llama',
    vocabSize: 5,
    hiddenSize: 8,
    layerCount: 1,
    headCount: 2,
    kvHeadCount: 2,
    headSize: 4,
    intermediateSize: 12,
    mixers: ['attention'],
    latentAttention: null,
    shortConvSize: null,
    gatedDelta: null,
    stateSpace: null,
    attentionGate: false,
    experts: null,
    rmsNormEps: 1e-5,
    tieWordEmbeddings: true,
    scoreHead: false,
    maxPositions: 64,
    attentionBias: false,
    outputBias: false,
    mlpBias: false,
    attentionSinks: false,
    valueNorm: false,
    globalAttention: null,
    keySharing: null,
    perLayerInputs: null,
    altUp: null,
    activationSparsity: [0],
    layerScale: false,
    qkNorm: null,
    fusedQkv: false,
    fusedGateUp: false,
    activation: 'silu',
    norms: 'before',
    normOffset: 0,
    attentionScale: 0.5,
    attentionSoftCap: 0,
    logitSoftCap: 0,
    embeddingScale: 1,
    residualScale: 1,
    logitScale: 1,
    slidingWindow: [null],
    rope: { theta: 1e5, scaling: null },
    slidingRope: null,
    hasRope: [true],
    rotarySize: 4,
    rotaryPairs: 'halves',
    queryScaling: null,
    bosTokenId: null,
    eosTokenIds: [],
    padTokenId: null,
    attentionDropout: 0,
    residualDropout: 0,
  });
  expect(model).toMatchObject({ format: 'gguf', tokenizerFiles: [], chatTemplates: null });
  model.close();
});

test('rows of q come back in our order, those of v as they are', async () => {
  const model = await opened();
  const firsts = (name: string): number[] =>
    Array.from({ length: 8 }, (_, row) => model.tensors.get(name)?.float32()[row * 8] ?? Number.NaN);
  expect(firsts('layers.0.q')).toEqual([0, 2, 1, 3, 4, 6, 5, 7].map((row) => row * 8 + 1));
  expect(firsts('layers.0.v')).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((row) => row * 8 + 1));
  const q = model.tensors.get('layers.0.q');
  expect(new Float32Array((q?.bytes() ?? new Uint8Array()).buffer)).toEqual(q?.float32());
  model.close();
});

test('an output matrix unties the head; linear and YaRN scaling are read', async () => {
  const untied = await opened([], [['output.weight', [5, 8]]]);
  expect(untied.config.tieWordEmbeddings).toBe(false);
  untied.close();
  const linear = await opened([
    ['llama.rope.scaling.type', { type: 'string', value: 'linear' }],
    ['llama.rope.scaling.factor', float32(2.5)],
  ]);
  expect(linear.config.rope.scaling).toEqual({ kind: 'linear', factor: 2.5 });
  linear.close();
  const yarn = await opened([
    ['llama.rope.scaling.type', { type: 'string', value: 'yarn' }],
    ['llama.rope.scaling.factor', float32(4)],
    ['llama.rope.scaling.original_context_length', uint32(16)],
    ['llama.rope.scaling.attn_factor', float32(0.5)],
  ]);
  expect(yarn.config.rope.scaling).toMatchObject({ kind: 'yarn', factor: 4, originalMaxPositions: 16 });
  expect(inverseFrequencies(4, yarn.config.rope).attentionScale).toBeCloseTo(0.5 * (0.1 * Math.log(4) + 1), 12);
  yarn.close();
});

test('several end tokens and the sampling it recommends', async () => {
  const model = await opened([
    ['tokenizer.ggml.eos_token_id', uint32(2)],
    ['tokenizer.ggml.eot_token_id', uint32(4)],
    ['general.sampling.temp', float32(0.6)],
  ]);
  expect(model.config.eosTokenIds).toEqual([2, 4]);
  expect(model.generationConfig).toMatchObject({ temperature: 0.6, do_sample: true, eos_token_id: [2, 4] });
  model.close();
});

test.each<[string, [string, GgufValue][], [string, number[]][], string]>([
  ['another architecture', [['general.architecture', { type: 'string', value: 'bert' }]], [], 'bert'],
  ['experts', [['llama.expert_count', uint32(8)]], [], 'mixtures of experts'],
  [
    'a rotary part',
    [['llama.rope.dimension_count', uint32(2)]],
    [],
    'partial rotary embeddings (partial_rotary_factor) are not implemented',
  ],
  ['a surplus tensor', [], [['blk.1.attn_norm.weight', [8]]], 'blk.1.attn_norm.weight belongs to no part'],
  ['a shape', [['llama.embedding_length', uint32(16)]], [], 'has shape'],
  ['wrong factors', [], [[ROPE_FACTORS, [2]]], "does not follow Llama 3's rule"],
])('%s is refused', async (_, changes, more, message) => {
  await expect(opened(changes, more)).rejects.toThrow(message);
});

test('whatever the metadata say, the answer is a model or a UserError', async () => {
  const value = fc.oneof(
    fc.nat().map((number): GgufValue => uint32(number)),
    fc.float().map((number): GgufValue => float32(number)),
    fc.string().map((text): GgufValue => ({ type: 'string', value: text })),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((number): GgufValue => ({ type: 'uint64', value: number })),
    fc.array(fc.string()).map((texts): GgufValue => ({ type: 'array', items: 'string', value: texts })),
  );
  const keys = [
    ...LLAMA.keys(),
    'llama.attention.key_length',
    'llama.rope.scaling.type',
    'llama.attention.sliding_window',
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...keys), value, async (key, changed) => {
      try {
        (await opened([[key, changed]])).close();
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    { numRuns: 300 },
  );
});
