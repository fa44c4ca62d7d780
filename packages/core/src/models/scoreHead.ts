/** Reward models: a decoder with a head of one output, whose value at the last token of a text is its score. */
import { isJsonObject, type JsonObject, parseJsonObject } from '@anneal/formats/json';
import { UserError } from '../errors.ts';
import { normal, random } from '../random.ts';
import type { ModelConfig } from './config.ts';
import type { Fields } from './fields.ts';
import type { ModelTensor, OpenModel } from './model.ts';

/** As transformers initializes such a head. */
const INITIAL_DEVIATION = 0.02;

/** @param fields config.json @throws UserError for a head of several outputs, which says classes and no score */
export function hasScoreHead(fields: Fields): boolean {
  const classes = fields.raw('architectures');
  const name: unknown = Array.isArray(classes) ? classes[0] : undefined;
  if (typeof name !== 'string' || !name.endsWith('ForSequenceClassification')) return false;
  const labels = fields.raw('id2label');
  const outputs = isJsonObject(labels) ? Object.keys(labels).length : fields.count('num_labels', 2);
  if (outputs === 1) return true;
  throw fields.unsupported(
    `${name} tells ${outputs} classes apart; Anneal reads such models with one output, which are reward models`,
    'use a language model, or a reward model (num_labels: 1)',
  );
}

/**
 * The model with a head of scores in place of logits; one that has it, as it is.
 * @param seed of the new head
 * @throws UserError where transformers has no such class of the architecture
 */
export function withScoreHead(model: OpenModel, seed = 0): OpenModel {
  const { architecture, config, configJson, path } = model;
  if (config.scoreHead) return model;
  const { classificationClass, modelType } = architecture;
  if (classificationClass === undefined) {
    throw new UserError({
      what: `transformers has no sequence classification with ${modelType}, so nothing would load the reward model`,
      where: path,
      next: 'take another base, such as one of Llama, Qwen or Gemma',
      code: 'model_unsupported',
    });
  }
  const score = newHead(config, seed);
  const padTokenId = paddingOf(model);
  return {
    ...model,
    config: { ...config, scoreHead: true, tieWordEmbeddings: false, padTokenId },
    configJson: {
      ...configJson,
      architectures: [classificationClass],
      id2label: { 0: 'LABEL_0' },
      label2id: { LABEL_0: 0 },
      ...(padTokenId !== null && { pad_token_id: padTokenId }),
    },
    tensors: new Map([...[...model.tensors].filter(([name]) => name !== 'lm_head'), [score.name, score]]),
  };
}

/** The class transformers loads it with. */
export function classOf({ architecture, config }: Pick<OpenModel, 'architecture' | 'config'>): string {
  const { huggingFaceClass, classificationClass = huggingFaceClass } = architecture;
  return config.scoreHead ? classificationClass : huggingFaceClass;
}

/** Said of whatever asks such a model for text. */
export function givesNoText(where: string | undefined): UserError {
  return new UserError({
    what: 'this is a reward model: it gives answers a score, and no text',
    where,
    next: 'measure it with `anneal eval`, export it, or score answers with it (docs/preference.md); to chat, name its base',
    code: 'reward_model',
  });
}

/** A text's score is at its last token that does not pad, as transformers looks for it: the tokenizer and config.json must agree. */
function paddingOf({ config, tokenizerFiles, readTokenizerFile, path }: OpenModel): number | null {
  const json = (name: string): JsonObject =>
    tokenizerFiles.includes(name) ? parseJsonObject(readTokenizerFile(name), `${path}/${name}`) : {};
  const written = json('tokenizer_config.json')['pad_token'];
  const text = isJsonObject(written) ? written['content'] : written;
  const added = json('tokenizer.json')['added_tokens'];
  const token = Array.isArray(added) ? added.find((each) => isJsonObject(each) && each['content'] === text) : undefined;
  const id = isJsonObject(token) ? token['id'] : undefined;
  return typeof id === 'number' ? id : (config.padTokenId ?? config.eosTokenIds[0] ?? null);
}

function newHead({ hiddenSize }: ModelConfig, seed: number): ModelTensor {
  const float32 = (): Float32Array => {
    const { uint32 } = random('score', seed);
    return Float32Array.from({ length: hiddenSize }, () => INITIAL_DEVIATION * normal(uint32));
  };
  return {
    name: 'score',
    shape: [1, hiddenSize],
    dtype: 'F32',
    rowGroup: 1,
    source: () => null,
    bytes: () => new Uint8Array(float32().buffer as ArrayBuffer),
    float32,
  };
}
