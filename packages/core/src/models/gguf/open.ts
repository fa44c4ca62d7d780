import { metadataString } from '@anneal/formats/gguf/metadata';
import { type GgufSource, openGguf } from '@anneal/formats/gguf/read';
import { chatTemplateFromGguf, type HuggingFaceTokenizer, tokenizerFromGguf } from '@anneal/formats/gguf/tokenizer';
import type { RowRange, TensorInfo } from '@anneal/formats/tensor';
import { UserError } from '../../errors.ts';
import { templatesOf } from '../../templates/chatTemplates.ts';
import { ggufNames } from '../architecture.ts';
import { checkTensors } from '../checkTensors.ts';
import { describeOtherParts } from '../huggingFace/textPart.ts';
import { architectureOf, readConfig } from '../index.ts';
import { joinExperts } from '../joined.ts';
import { fileSource, firstNotFinite, type ModelTensor, type OpenModel } from '../model.ts';
import { findName, valueTransform } from '../names.ts';
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
    const names = ggufNames(architecture, config);
    const joined = joinExperts(source, names, config, 'gguf');
    const leftOutPart = (name: string): string | null => architecture.ggufPart?.leftOutPart?.(name, config) ?? null;
    const nameInFile = (ours: string): string | undefined => findName(names, ours)?.gguf;
    for (const [name, stored] of checkTensors(config, joined, nameInFile, (each) => leftOutPart(each) !== null)) {
      const transform = findName(names, name)?.transform ?? null;
      const permuted = transform === 'permuteHeads';
      const values = valueTransform(transform);
      if (values && stored.dtype !== 'F32') throw notInFloat32(path, stored);
      const transformed = (weights: Float32Array, rows: RowRange | undefined): Float32Array => {
        if (!values) return weights;
        const restored = weights.map(values.fromGguf);
        const found = firstNotFinite(restored);
        if (found === null) return restored;
        const rowElements = stored.shape.slice(1).reduce((product, extent) => product * extent, 1);
        const element = (rows?.first ?? 0) * rowElements + found;
        throw notTransformable(path, stored.name, element, weights[found] as number, values.needs);
      };
      const restore = (bytes: Uint8Array, rows: RowRange | undefined): Uint8Array => {
        if (permuted) return separateHeads(bytes, rows?.count ?? stored.shape[0] ?? 1, config.headSize);
        return values ? new Uint8Array(transformed(new Float32Array(bytes.buffer), rows).buffer) : bytes;
      };
      const rowGroup = joined.rowGroup(stored.name);
      tensors.set(name, {
        name,
        shape: stored.shape,
        dtype: stored.dtype,
        rowGroup: rowGroup ?? (permuted ? config.headSize : 1),
        source: () =>
          !values && rowGroup === null
            ? fileSource(stored, () => source.place(stored.name), permuted ? config.headSize : 0)
            : null,
        bytes: (rows) => restore(joined.bytes(stored.name, rows), rows),
        float32: (rows) => {
          const weights = joined.float32(stored.name, rows);
          if (values) return transformed(weights, rows);
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
      isNested: false,
      leftOut: describeOtherParts([...source.tensors.keys()].map(leftOutPart)),
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

function notInFloat32(path: string, { name, dtype }: TensorInfo): UserError {
  return new UserError({
    what: `the vector ${name} is stored as ${dtype}, but GGUF files hold vectors in F32`,
    where: path,
    next: 'convert the model again, or use its Hugging Face folder',
    code: 'model_tensor_dtype',
  });
}

function notTransformable(path: string, name: string, element: number, value: number, needs: string): UserError {
  return new UserError({
    what: `${name} cannot be used: its element ${element} is ${value}, and must be ${needs}`,
    where: path,
    next: 'convert the model again, or use its Hugging Face folder',
    code: 'weight_not_finite',
  });
}

/** llama.cpp's converter writes `none` for models that take token ids only. */
function hasTokenizer({ metadata, path }: GgufSource): boolean {
  return ![undefined, 'none', 'no_vocab'].includes(metadataString(metadata, 'tokenizer.ggml.model', path));
}
