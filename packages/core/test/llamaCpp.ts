import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BYTE_CHARACTERS } from '../src/tokenizers/byteLevel/byteAlphabet.ts';
import { peerLlamaCpp } from './peers.ts';

/** The part of node-llama-cpp that tests use. */
interface Library {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<NativeModel>; dispose(): Promise<void> }>;
  JinjaTemplateChatWrapper: new (options: {
    template: string;
  }) => {
    generateContextState(options: { chatHistory: object[] }): {
      contextText: { tokenize(tokenizer: unknown): number[] };
    };
  };
}

interface NativeModel {
  readonly tokenizer: unknown;
  readonly fileInfo: { readonly metadata: { readonly tokenizer: { readonly chat_template: string } } };
  tokenize(text: string, specialTokens: boolean): number[];
  isEogToken(token: number): boolean;
  createContext(options: object): Promise<{
    getSequence(): {
      evaluate(tokens: number[], options: object): AsyncIterable<number>;
      controlledEvaluate(
        tokens: readonly (readonly [token: number, options: object])[],
      ): Promise<{ readonly next: { readonly logits: ReadonlyMap<number, number> } }[]>;
    };
    dispose(): Promise<void>;
  }>;
  dispose(): Promise<void>;
}

/** One GGUF file loaded in llama.cpp. */
export interface LlamaCppModel {
  /** Texts of special tokens become those tokens. */
  tokenize(text: string): number[];
  /** The prompt after these user and assistant messages in turn, written by the template in the file. */
  chatPrompt(messages: readonly string[]): number[];
  /** Up to the end token, exclusive, or `count` tokens. */
  greedy(prompt: readonly number[], count: number): Promise<number[]>;
  /** Behind each token, of every token of the vocabulary. */
  logits(tokens: readonly number[]): Promise<Float32Array[]>;
}

/** Loads the file, hands it to `use`, and unloads it. Returns null where llama.cpp cannot be had; the reason is printed. */
export async function withLlamaCpp<T>(path: string, use: (model: LlamaCppModel) => Promise<T>): Promise<T | null> {
  const entry = await peerLlamaCpp();
  if (entry === null) return null;
  const library: Library = await import(pathToFileURL(entry).href);
  const llama = await library.getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    maxThreads: 1, // two would wait for each other wherever tests run side by side
    logLevel: 'error',
  });
  const model = await llama.loadModel({ modelPath: path });
  try {
    return await use(wrap(library, model));
  } finally {
    await model.dispose();
    await llama.dispose();
  }
}

function wrap(library: Library, model: NativeModel): LlamaCppModel {
  return {
    tokenize: (text) => [...model.tokenize(text, true)],
    chatPrompt(messages) {
      const wrapper = new library.JinjaTemplateChatWrapper({
        template: model.fileInfo.metadata.tokenizer.chat_template,
      });
      const history = messages.map((text, at) =>
        at % 2 === 0 ? { type: 'user', text } : { type: 'model', response: [text] },
      );
      const state = wrapper.generateContextState({ chatHistory: [...history, { type: 'model', response: [] }] });
      return [...state.contextText.tokenize(model.tokenizer)];
    },
    async greedy(prompt, count) {
      const context = await model.createContext({ contextSize: prompt.length + count });
      const tokens: number[] = [];
      try {
        for await (const token of context.getSequence().evaluate([...prompt], { temperature: 0 })) {
          if (model.isEogToken(token)) break;
          tokens.push(token);
          if (tokens.length === count) break;
        }
      } finally {
        await context.dispose();
      }
      return tokens;
    },
    async logits(tokens) {
      const context = await model.createContext({ contextSize: tokens.length + 1 });
      try {
        const asked = tokens.map((token) => [token, { generateNext: { logits: true } }] as const);
        const found = await context.getSequence().controlledEvaluate(asked);
        return found.map(({ next: { logits } }) =>
          Float32Array.from({ length: logits.size }, (_, token) => logits.get(token) ?? NaN),
        );
      } finally {
        await context.dispose();
      }
    },
  };
}

/** GPT-2's, of bytes, which llama.cpp knows. */
export function writeTokenizer(path: string, vocabSize: number): void {
  const special = ['<pad>', '<s>', '</s>'];
  const tokens = [...special, ...[...BYTE_CHARACTERS].slice(0, vocabSize - special.length)];
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const flags = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [] },
  };
  writeFileSync(join(path, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(
    join(path, 'tokenizer_config.json'),
    JSON.stringify({ bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>' }),
  );
}
