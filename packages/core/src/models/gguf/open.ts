import { metadataString } from '@anneal/formats/gguf/metadata';
import { openGguf } from '@anneal/formats/gguf/read';
import { checkTensors } from '../checkTensors.ts';
import { architectureOf, readConfig } from '../index.ts';
import type { ModelTensor, OpenModel } from '../model.ts';
import { findName } from '../names.ts';
import { separateHeads } from './heads.ts';
import { configJsonOf, generationConfigOf } from './readMetadata.ts';

/** @throws UserError as `openModel` */
export function openGgufModel(path: string): OpenModel {
  const source = openGguf(path);
  try {
    const configJson = configJsonOf(source.metadata, source);
    const generationConfig = generationConfigOf(source.metadata, path);
    const config = readConfig(configJson, generationConfig, path);
    const architecture = architectureOf(config.architecture, path);
    const tensors = new Map<string, ModelTensor>();
    for (const [name, stored] of checkTensors(config, source, (ours) => findName(architecture.names, ours)?.gguf)) {
      const permuted = findName(architecture.names, name)?.transform === 'permuteHeads';
      const rows = stored.shape[0] ?? 1;
      const restore = (bytes: Uint8Array): Uint8Array =>
        permuted ? separateHeads(bytes, rows, config.headSize) : bytes;
      tensors.set(name, {
        name,
        shape: stored.shape,
        dtype: stored.dtype,
        bytes: () => restore(source.bytes(stored.name)),
        float32: () => {
          const { buffer, byteOffset, byteLength } = source.float32(stored.name);
          return new Float32Array(
            restore(new Uint8Array(buffer, byteOffset, byteLength)).buffer,
            permuted ? 0 : byteOffset,
          );
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
      tokenizerFiles: [],
      readTokenizerFile: () => new Uint8Array(),
      chatTemplate: metadataString(source.metadata, 'tokenizer.chat_template', path) ?? null,
      files: [path],
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}
