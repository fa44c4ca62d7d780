import { metadataString } from '@anneal/formats/gguf/metadata';
import { type GgufSource, openGguf } from '@anneal/formats/gguf/read';
import { chatTemplateFromGguf, type HuggingFaceTokenizer, tokenizerFromGguf } from '@anneal/formats/gguf/tokenizer';
import type { RowRange } from '@anneal/formats/tensor';
import { templatesOf } from '../../templates/chatTemplates.ts';
import { checkTensors } from '../checkTensors.ts';
import { architectureOf, readConfig } from '../index.ts';
import { fileSource, type ModelTensor, type OpenModel } from '../model.ts';
import { findName } from '../names.ts';
import { separateHeads } from './heads.ts';
import { configJsonOf, generationConfigOf } from './readMetadata.ts';

/** What is rebuilt from the metadata, under Hugging Face's file names. */
const TOKENIZER_FILES = { 'tokenizer.json': 'tokenizerJson', 'tokenizer_config.json': 'tokenizerConfig' } as const;

/** @throws UserError as `openModel` */
export function openGgufModel(path: string): OpenModel {
  const source = openGguf(path);
  try {
    const configJson = configJsonOf(source.metadata, source);
    const generationConfig = generationConfigOf(source.metadata, path);
    const config = readConfig(configJson, generationConfig, path);
    const architecture = architectureOf(config.architecture, path);
    let tokenizer: HuggingFaceTokenizer | null = null;
    const tensors = new Map<string, ModelTensor>();
    for (const [name, stored] of checkTensors(config, source, (ours) => findName(architecture.names, ours)?.gguf)) {
      const permuted = findName(architecture.names, name)?.transform === 'permuteHeads';
      const restore = (bytes: Uint8Array, rows: RowRange | undefined): Uint8Array =>
        permuted ? separateHeads(bytes, rows?.count ?? stored.shape[0] ?? 1, config.headSize) : bytes;
      tensors.set(name, {
        name,
        shape: stored.shape,
        dtype: stored.dtype,
        rowGroup: permuted ? config.headSize : 1,
        source: () => fileSource(stored, () => source.place(stored.name), permuted ? config.headSize : 0),
        bytes: (rows) => restore(source.bytes(stored.name, rows), rows),
        float32: (rows) => {
          const weights = source.float32(stored.name, rows);
          if (!permuted) return weights;
          const restored = restore(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength), rows);
          (weights.buffer as ArrayBuffer).transfer(0);
          return new Float32Array(restored.buffer);
        },
      });
    }
    return {
      path,
      format: 'gguf',
      architecture,
      config,
      configJson,
      generationConfig,
      tensors,
      tokenizerFiles: hasTokenizer(source) ? Object.keys(TOKENIZER_FILES) : [],
      readTokenizerFile: (name) => {
        tokenizer ??= tokenizerFromGguf(source.metadata, path);
        const part = TOKENIZER_FILES[name as keyof typeof TOKENIZER_FILES];
        return Buffer.from(`${JSON.stringify(tokenizer[part], null, 2)}\n`);
      },
      chatTemplates: templatesOf(chatTemplateFromGguf(source.metadata, path).chat_template, path),
      files: [path],
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** llama.cpp's converter writes `none` for models that take token ids only. */
function hasTokenizer({ metadata, path }: GgufSource): boolean {
  return ![undefined, 'none', 'no_vocab'].includes(metadataString(metadata, 'tokenizer.ggml.model', path));
}
