import { isJsonObject, type JsonObject } from '@anneal/formats/json';

/** Types of models that hold a text model beside what sees, and the type of that one where its part of config.json does not say it. */
const WRAPPERS: ReadonlyMap<unknown, string> = new Map([
  ['gemma3', 'gemma3_text'],
  ['gemma3n', 'gemma3n_text'],
  ['gemma4', 'gemma4_text'],
  ['mistral3', 'mistral'],
  ['qwen3_vl', 'qwen3_vl_text'],
  ['qwen3_5', 'qwen3_5_text'],
  ['qwen3_5_moe', 'qwen3_5_moe_text'],
]);

/** Text models that compute without images as another type does, and what transformers takes where they do not say it. */
const AS_ANOTHER: ReadonlyMap<unknown, { readonly model_type: string; readonly rope_theta: number }> = new Map([
  ['qwen3_vl_text', { model_type: 'qwen3', rope_theta: 500_000 }],
]);

/** What the text model takes from the config around it where it does not say it itself. */
const SHARED = ['bos_token_id', 'eos_token_id', 'pad_token_id', 'quantization_config', 'dtype', 'torch_dtype'];

/** config.json of the text model inside a multimodal one; null for a model that is a text model itself. */
export function textConfigOf(configJson: JsonObject): JsonObject | null {
  const modelType = WRAPPERS.get(configJson['model_type']);
  const text = configJson['text_config'];
  if (modelType === undefined || !isJsonObject(text)) return null;
  const another = AS_ANOTHER.get(text['model_type'] ?? modelType);
  const shared = Object.fromEntries(
    [...SHARED, ...(another ? ['tie_word_embeddings'] : [])].flatMap((key) =>
      configJson[key] === undefined ? [] : [[key, configJson[key]]],
    ),
  );
  if (!another) return { model_type: modelType, ...shared, ...text };
  // Whether the head is the embedding, transformers asks the config around it alone.
  const { tie_word_embeddings: _, ...inside } = text;
  return { ...shared, ...another, ...inside, model_type: another.model_type };
}

/** How files name the tensors of a text model inside: as transformers 4 saved them, and as transformers 5 does. */
const NAMINGS: readonly ((name: string) => string)[] = [
  (name) => `language_model.${name}`,
  (name) => name.replace(/^model\./, 'model.language_model.'),
];

/** The file's name of a tensor, by its name in a text model alone. */
export function namesInside(stored: ReadonlyMap<string, unknown>): (name: string) => string {
  const embedding = 'model.embed_tokens.weight';
  return NAMINGS.find((nameOf) => stored.has(nameOf(embedding))) ?? ((name) => name);
}

/** Of the parts that are not the text model, as `vision_tower` of `model.vision_tower.layers.0.weight`; `mtp` predicts several tokens. */
const OTHER_PARTS =
  /^(?:model\.)?(vision_tower|vision_model|visual|multi_modal_projector|audio_tower|embed_vision|embed_audio|mtp)\./;

/** The part beside the text model that a stored tensor belongs to; null for one of none. */
export function otherPartOf(stored: string): string | null {
  return OTHER_PARTS.exec(stored)?.[1] ?? null;
}

/** `vision_tower (437 tensors)`, for each part that is left out, null for what is not. */
export function describeOtherParts(partOfEach: readonly (string | null)[]): string[] {
  const parts = Map.groupBy(partOfEach, (part) => part);
  return [...parts].flatMap(([part, { length }]) =>
    part === null ? [] : [`${part} (${length} ${length === 1 ? 'tensor' : 'tensors'})`],
  );
}
