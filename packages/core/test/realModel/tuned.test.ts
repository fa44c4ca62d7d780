import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { expect, test } from 'vitest';
import { exportGguf, ggufFileName } from '../../src/export/gguf.ts';
import { exportMerged } from '../../src/export/merged.ts';
import { encodePrompt, openModelText } from '../../src/generate/modelText.ts';
import { loadLoraWeights } from '../../src/models/adapters/loadLora.ts';
import type { LoraWeights } from '../../src/models/adapters/loraWeights.ts';
import { mergedWeights } from '../../src/models/adapters/merge.ts';
import { type OpenModel, openModel } from '../../src/models/open.ts';
import { openDecoder } from '../decoder.ts';
import { temporaryFolder } from '../fixtures.ts';
import { type LlamaCppModel, withLlamaCpp } from '../llamaCpp.ts';
import { peerLlamaCpp, peerSmolLm2 } from '../peers.ts';
import { checkpointPath, lossesOf, trainHere, weightsHash } from '../runs.ts';

const [model, llamaCpp] = await Promise.all([peerSmolLm2(), peerLlamaCpp()]);
const golden = fileURLToPath(new URL('../golden/smollm2-sft', import.meta.url));
const steps = 2;
const tokens = 32;
const END = 2; // <|im_end|>

/**
 * At every token of the answers the likeliest leads by 0.06 or more: where two are nearer than float16 rounds, the instruction set decides, here
 * and in llama.cpp.
 */
const prompts = [
  'What is the capital of Japan?',
  'Wie heißt du?',
  'Count from one to ten.',
  'What is the boiling point of water?',
  'Write a haiku about rain.',
  'What is photosynthesis?',
  'What colour is the sky?',
  'Who are you?',
  'Say hello in Spanish.',
  'Name an animal that can fly.',
  'Why is the sky blue?',
];

test.skipIf(model === null || llamaCpp === null)(
  'SmolLM2 tuned on 1 thread and on 2, exported, and read by llama.cpp',
  { timeout: 900_000 },
  async () => {
    const folder = temporaryFolder();
    const { recipe } = JSON.parse(readFileSync(join(golden, 'golden.json'), 'utf8'));
    const run = async (threads: number) =>
      trainHere({
        ...recipe,
        base_model: model as string,
        lora_model_dir: join(golden, 'adapter'),
        datasets: [{ path: join(golden, 'rows.jsonl') }],
        bf16: false,
        max_steps: steps,
        warmup_steps: 0,
        saves_per_epoch: 0,
        output_dir: join(folder, 'runs'),
        threads,
      });
    const tuned = await run(2);
    const onOneThread = await run(1);
    expect(lossesOf(onOneThread)).toEqual(lossesOf(tuned));
    expect(weightsHash(onOneThread, steps)).toBe(weightsHash(tuned, steps));

    const adapterFolder = checkpointPath(tuned, steps);
    expectLikePeft(adapterFolder);

    const base = openModel(model as string);
    const adapter = await loadLoraWeights(adapterFolder, base);
    const text = openModelText(base);
    await exportGguf(join(folder, 'gguf'), { model: base, adapter, types: ['f16', 'q8_0'], name: 'tuned' });
    await exportMerged(join(folder, 'merged'), { model: base, adapter, dtype: 'BF16' });
    const f16 = join(folder, 'gguf', ggufFileName('tuned', 'f16'));
    await expectMerged(base, adapter, f16);
    base.close();
    expectLikeTransformers(join(folder, 'merged'));

    const promptIds: Int32Array[] = [];
    for (const content of prompts) promptIds.push(await encodePrompt(text, [{ role: 'user', content }]));
    const ours = await answersOf(f16, promptIds);
    await withLlamaCpp(f16, async (peer) => {
      expectSamePrompts(peer, promptIds);
      for (const [i, prompt] of promptIds.entries()) {
        expect(await peer.greedy(Array.from(prompt), tokens), prompts[i]).toEqual(ours[i]);
      }
    });
    await withLlamaCpp(join(folder, 'gguf', ggufFileName('tuned', 'q8_0')), async (peer) => {
      expectSamePrompts(peer, promptIds);
      expect((await peer.greedy(Array.from(promptIds[0] ?? []), 8)).length).toBeGreaterThan(0);
    });
  },
);

/** The file holds the tuned weights, rounded to float16, and not those of the base. */
async function expectMerged(base: OpenModel, adapter: LoraWeights, path: string): Promise<void> {
  const tuned = openModel(path);
  for (const name of ['layers.0.q', 'layers.29.v']) {
    const written = tuned.tensors.get(name)?.float32() ?? new Float32Array();
    const merged = await mergedWeights(base, adapter, name);
    const before = base.tensors.get(name)?.float32() ?? new Float32Array();
    expect(largestDifference(written, merged)).toBeLessThan(2 ** -11);
    expect(largestDifference(written, before)).toBeGreaterThan(0.05);
  }
  tuned.close();
}

/** Relative, of values that are not tiny. */
function largestDifference(ours: Float32Array, theirs: Float32Array): number {
  return ours.reduce(
    (worst, value, i) => Math.max(worst, Math.abs(value - (theirs[i] as number)) / (Math.abs(value) + 1e-3)),
    0,
  );
}

/** Up to the end token, exclusive. */
async function answersOf(path: string, promptIds: readonly Int32Array[]): Promise<number[][]> {
  const decoder = await openDecoder(path, { contextLength: 256, chunk: 64 });
  const answers: number[][] = [];
  for (const prompt of promptIds) {
    const ids = await decoder.generate(prompt, { maxNewTokens: tokens, stopIds: new Set([END]) });
    answers.push(ids.filter((id) => id !== END));
  }
  return answers;
}

function expectSamePrompts(peer: LlamaCppModel, promptIds: readonly Int32Array[]): void {
  for (const [i, prompt] of prompts.entries())
    expect(peer.chatPrompt([prompt])).toEqual(Array.from(promptIds[i] ?? []));
}

/** The adapter of the golden folder was written by PEFT for the same linears. */
function expectLikePeft(folder: string): void {
  const peft = join(golden, 'adapter');
  expect(tensorsIn(join(folder, 'adapter_model.safetensors'))).toEqual(
    tensorsIn(join(peft, 'adapter_model.safetensors')),
  );
  const { r, lora_alpha, use_rslora, peft_type, task_type, bias, fan_in_fan_out, target_modules } = configIn(peft);
  const ours = configIn(folder);
  expect(ours).toMatchObject({ r, lora_alpha, use_rslora, peft_type, task_type, bias, fan_in_fan_out });
  expect(new Set(ours.target_modules)).toEqual(new Set(target_modules));
}

function configIn(folder: string) {
  return JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'));
}

/** As `LlamaForCausalLM.save_pretrained` names them; the head is tied to the embedding and not stored. */
function expectLikeTransformers(folder: string): void {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  expect(config).toMatchObject({
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    vocab_size: 49152,
    tie_word_embeddings: true,
  });
  const expected: Record<string, number[]> = { 'model.embed_tokens.weight': [49152, 576], 'model.norm.weight': [576] };
  for (let layer = 0; layer < 30; layer++) {
    const shapes = {
      'input_layernorm.weight': [576],
      'post_attention_layernorm.weight': [576],
      'self_attn.q_proj.weight': [576, 576],
      'self_attn.k_proj.weight': [192, 576],
      'self_attn.v_proj.weight': [192, 576],
      'self_attn.o_proj.weight': [576, 576],
      'mlp.gate_proj.weight': [1536, 576],
      'mlp.up_proj.weight': [1536, 576],
      'mlp.down_proj.weight': [576, 1536],
    };
    for (const [name, shape] of Object.entries(shapes)) expected[`model.layers.${layer}.${name}`] = shape;
  }
  const tensors = tensorsIn(join(folder, 'model.safetensors'));
  expect(Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))).toEqual(expected);
  expect(new Set(Object.values(tensors).map(({ dtype }) => dtype))).toEqual(new Set(['BF16']));
}

function tensorsIn(path: string): Record<string, { dtype: string; shape: readonly number[] }> {
  const source = openSafetensors(path);
  source.close();
  return Object.fromEntries([...source.tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
}
