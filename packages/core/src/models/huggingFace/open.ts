import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openBitsandbytes } from '@anneal/formats/bitsandbytes/source';
import { refusePickle } from '@anneal/formats/checkpointGuard';
import { checkSmallFile, readSmallFile } from '@anneal/formats/files/randomAccess';
import { type JsonObject, parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';
import { openMxfp4 } from '@anneal/formats/mxfp4/source';
import { INDEX_FILE, openSafetensors, SINGLE_FILE } from '@anneal/formats/safetensors/read';
import { readShardIndex } from '@anneal/formats/safetensors/shardIndex';
import type { TensorInfo } from '@anneal/formats/tensor';
import { UserError } from '../../errors.ts';
import { readChatTemplates, templateFiles } from '../../templates/chatTemplates.ts';
import { checkTensors } from '../checkTensors.ts';
import { Fields } from '../fields.ts';
import { architectureOf, readConfig } from '../index.ts';
import { joinExperts } from '../joined.ts';
import { fileSource, type ModelTensor, type OpenModel } from '../model.ts';
import { findName } from '../names.ts';
import { describeOtherParts, namesInside, otherPartOf, textConfigOf } from './textPart.ts';

/** What transformers may need to rebuild a tokenizer, apart from its chat templates. */
const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'tokenizer.model',
  'vocab.json',
  'merges.txt',
];

/** @throws UserError as `openModel` */
export function openHuggingFaceModel(path: string): OpenModel {
  const folder = folderOf(path);
  const configPath = join(folder, 'config.json');
  const whole = parseJsonObject(readSmallFile(configPath, LIMITS.configBytes), configPath);
  const text = textConfigOf(whole);
  const configJson = text ?? whole;
  const generationConfig = readOptionalJson(join(folder, 'generation_config.json'));
  const config = readConfig(configJson, generationConfig, configPath);
  const architecture = architectureOf(config.architecture, configPath);
  const tokenizerFiles = [
    ...TOKENIZER_FILES.filter((name) => existsSync(join(folder, name))),
    ...templateFiles(folder),
  ];
  // Those that nothing here reads are copied into checkpoints: too late to find out that they cannot be.
  for (const name of tokenizerFiles) checkSmallFile(join(folder, name), LIMITS.tokenizerBytes);
  const chatTemplates = readChatTemplates(folder);
  const source = openBitsandbytes(openMxfp4(openSafetensors(folder)));
  try {
    refuseQuantizationInName(configJson, source.tensors, configPath);
    const tensors = new Map<string, ModelTensor>();
    const nameInFile = text ? namesInside(source.tensors) : (name: string) => name;
    const fileName = (ours: string): string | undefined => {
      const name = findName(architecture.names, ours)?.huggingFace;
      return name && nameInFile(name);
    };
    const joined = joinExperts(source, architecture.names, config, 'huggingFace', nameInFile);
    const leftOutPart = (stored: string): string | null =>
      (text && otherPartOf(stored)) ?? architecture.leftOutPart?.(stored, config) ?? null;
    for (const [name, stored] of checkTensors(config, joined, fileName, (each) => leftOutPart(each) !== null)) {
      const rowGroup = joined.rowGroup(stored.name);
      tensors.set(name, {
        name,
        shape: stored.shape,
        dtype: stored.dtype,
        rowGroup: rowGroup ?? 1,
        source: () => (rowGroup !== null ? null : fileSource(stored, () => source.place(stored.name))),
        bytes: (rows) => joined.bytes(stored.name, rows),
        float32: (rows) => joined.float32(stored.name, rows),
        ...(stored.dtype === 'NF4' && {
          nf4: { form: source.nf4Form(stored.name), read: () => source.nf4(stored.name) },
        }),
      });
    }
    return {
      path: folder,
      format: 'huggingface',
      architecture,
      config,
      configJson,
      generationConfig,
      tensors,
      isNested: text !== null,
      leftOut: describeOtherParts([...source.tensors.keys()].map(leftOutPart)),
      tokenizerFiles,
      readTokenizerFile: (name) => readSmallFile(join(folder, name), LIMITS.tokenizerBytes),
      chatTemplates,
      files: [
        configPath,
        ...(generationConfig ? [join(folder, 'generation_config.json')] : []),
        ...weightFiles(folder),
      ],
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** A folder, or any of the files in it that people name instead. */
function folderOf(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) {
    throw new UserError({
      what: 'no such model',
      where: path,
      next: 'give a folder in the Hugging Face layout or a GGUF file, or fetch one with `anneal pull`',
      code: 'model_not_found',
    });
  }
  refusePickle(path);
  if (status.isDirectory()) return path;
  if (/\.safetensors(\.index\.json)?$|^config\.json$/.test(basename(path))) return dirname(path);
  throw new UserError({
    what: 'this file is no model',
    where: path,
    next: 'give a folder in the Hugging Face layout or a GGUF file',
    code: 'not_a_model',
  });
}

/** @throws UserError where config.json calls weights quantized and none in the files is: which of the two is wrong only their author knows */
function refuseQuantizationInName(
  config: JsonObject,
  tensors: ReadonlyMap<string, TensorInfo>,
  configPath: string,
): void {
  const method = new Fields(config, configPath).object('quantization_config')?.string('quant_method');
  if (method === undefined) return;
  // Every other method is refused before.
  const dtype = method === 'mxfp4' ? 'MXFP4' : 'NF4';
  if ([...tensors.values()].some((tensor) => tensor.dtype === dtype)) return;
  throw new UserError({
    what: `quantization_config says that the weights are in ${dtype} (${method}), but no tensor of the files is`,
    where: configPath,
    next: 'download the model again, or take quantization_config out of it where the weights were saved in full',
    code: 'model_config_invalid',
  });
}

function readOptionalJson(path: string): JsonObject | null {
  return existsSync(path) ? parseJsonObject(readSmallFile(path, LIMITS.configBytes), path) : null;
}

function weightFiles(folder: string): string[] {
  const single = join(folder, SINGLE_FILE);
  if (existsSync(single)) return [single];
  const index = join(folder, INDEX_FILE);
  return [index, ...Array.from(readShardIndex(index).keys(), (shard) => join(folder, shard))];
}
