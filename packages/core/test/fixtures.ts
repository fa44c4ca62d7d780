/** Small things that tests train on: the golden checkpoints, a tokenizer of characters, and a task that can be learned. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type OpenModel, openModel } from '../src/models/open.ts';

export { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';

export const goldenModels = ['llama3', 'smollm2', 'qwen2', 'qwen3', 'qwen3-yarn', 'mistral'] as const;
/** Later architectures, whose blocks are put together from the same layers: tests that take each kind of processor leave them out. */
export const laterGoldenModels = [
  ...(['gemma2', 'gemma3-mixed', 'phi3', 'phi4-mini', 'smollm3', 'olmo3'] as const),
  ...(['granite', 'granite4', 'glm4', 'ministral3', 'qwen3-moe', 'lfm2', 'gpt-oss'] as const),
  ...([
    'granite4-h',
    'qwen3.5',
    'qwen3.5-moe',
    'deepseek-v3',
    'gemma4',
    'gemma4-moe',
    'gemma3n',
    'granite4-moe',
    'olmo2',
    'glm4-moe',
    'seed-oss',
  ] as const),
];
export type GoldenModel = (typeof goldenModels)[number] | (typeof laterGoldenModels)[number];

export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`golden/models/${name}`, import.meta.url));
}

/** Checkpoints with something that published models seldom have, and one test each. */
export function edgeCasePath(name: 'smollm2-pad' | 'mistral-window1' | 'llama-dynamic'): string {
  return fileURLToPath(new URL(`golden/edge-cases/${name}`, import.meta.url));
}

/** A checkpoint in which bitsandbytes holds matrices in NF4: `llama3-bnb-4bit`, or `-mixed`, where some are float32. */
export function nf4GoldenPath(name: string): string {
  return fileURLToPath(new URL(`golden/nf4/${name}`, import.meta.url));
}

/** An adapter of one of PEFT's kinds, and what is computed with it. */
export function adapterGoldenPath(kind: string): string {
  return fileURLToPath(new URL(`golden/peft/${kind}`, import.meta.url));
}

/** Opened, closed when the test ends. */
export function goldenModel(name: string, path = goldenPath(name)): OpenModel {
  const model = openModel(path);
  onTestFinished(() => model.close());
  return model;
}

/** A golden checkpoint of 160 tokens that can read and write: ChatML, a token for each ASCII character. */
export function writeTinyModel(folder: string, name: GoldenModel = 'smollm2'): string {
  const path = join(folder, `tiny-${name}`);
  cpSync(goldenPath(name), path, { recursive: true });
  const specials = ['<|pad|>', '<s>', '<|im_end|>', '<|im_start|>', '<|unk|>'];
  // A few checkpoints have no row for the last of them.
  const rows = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')).vocab_size - specials.length;
  const characters = ['\n', ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))].slice(0, rows);
  const vocabulary = Object.fromEntries([...specials, ...characters].map((token, id) => [token, id]));
  const added = specials.map((content, id) => {
    return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  });
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: { type: 'BPE', unk_token: '<|unk|>', fuse_unk: false, byte_fallback: false, vocab: vocabulary, merges: [] },
  };
  writeFileSync(join(path, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(
    join(path, 'tokenizer_config.json'),
    JSON.stringify({ eos_token: '<|im_end|>', pad_token: '<|pad|>', chat_template: chatMl }),
  );
  return path;
}

const chatMl =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const words = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen', 'ibis', 'jay', 'kite', 'lynx'];

/** Conversations that ask for a word in capitals, as JSON lines; every row differs. */
export function writeCapitalsTask(folder: string, rows = 24, file = 'rows.jsonl'): string {
  const path = join(folder, file);
  const lines = Array.from({ length: rows }, (_, i) => {
    const text = `${words[i % words.length]} ${words[(i * 5 + Math.floor(i / words.length)) % words.length]}`;
    return JSON.stringify({
      messages: [
        { role: 'user', content: text },
        { role: 'assistant', content: text.toUpperCase() },
      ],
    });
  });
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
