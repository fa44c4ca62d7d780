import { isJsonObject, type JsonObject } from '@anneal/formats/json';
import { tokenizerInvalid } from './errors.ts';

const NAMED = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((name) => `${name}_token`);
/** Of the tokens of added_tokens.json among the settings: a name that no file has. */
const LEGACY = 'added_tokens.json';
const FLAGS = ['special', 'single_word', 'lstrip', 'rstrip', 'normalized'] as const;

type AddedJson = JsonObject & { readonly id: number; readonly content: string };

/**
 * What transformers takes for the configuration of a tokenizer. Before it wrote `added_tokens_decoder` into it,
 * `special_tokens_map.json` was read over it, and `added_tokens.json` had the tokens beyond the vocabulary.
 * @param read a file of the tokenizer; null where there is none
 */
export function configOf(read: (name: string) => JsonObject | null): JsonObject {
  const config = read('tokenizer_config.json') ?? {};
  const map = read('special_tokens_map.json') ?? {};
  if (config['added_tokens_decoder'] !== undefined) return { ...map, ...config };
  const given = Object.entries(map).filter(([, value]) => value !== null);
  const added = Object.entries(read('added_tokens.json') ?? {});
  const special = new Set([...NAMED, ...EXTRA].flatMap((key) => tokensIn(map[key] ?? config[key])).map(contentOf));
  const decoder = added.map(([content, id]) => {
    const isSpecial = special.has(content);
    return [String(id), { content, special: isSpecial, normalized: !isSpecial }] as const;
  });
  return {
    ...config,
    ...Object.fromEntries(given),
    ...(decoder.length > 0 && { [LEGACY]: Object.fromEntries(decoder) }),
  };
}

const EXTRA = ['extra_special_tokens', 'additional_special_tokens'];

/** The configuration without the tokens that stand in tokenizer.json by now. */
export const withoutAddedTokens = (config: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(config).filter(([key]) => ![...EXTRA, 'added_tokens_decoder', LEGACY].includes(key)),
  );

/**
 * tokenizer.json with the added tokens that its configuration names besides, as transformers reads them: others get the next ids, and
 * where both have a token with different flags, those of `added_tokens_decoder` hold, but not those of added_tokens.json. A token
 * that is named, as `eos_token` does, is special whatever its flags say.
 * @returns the same object where there is nothing to add
 * @throws UserError `tokenizer_invalid` for settings under which programs would make other tokens of a text
 */
export function withConfiguredTokens(tokenizerJson: JsonObject, config: JsonObject, where: string): JsonObject {
  refuseOtherTokens(tokenizerJson, config, where);
  const { added_tokens: listed, model } = tokenizerJson;
  const tokens = listed ?? [];
  // What is no list of tokens is refused by whoever reads it.
  if (!Array.isArray(tokens) || !tokens.every(isAdded)) return tokenizerJson;
  const added = new Map(tokens.map((token) => [token.content, token]));
  const vocabulary = vocabularyOf(model);
  const next = (): number =>
    1 + [...added.values()].reduce((most, { id }) => Math.max(most, id), vocabulary.size() - 1);
  let isChanged = false;
  const add = (token: JsonObject, id: number): void => {
    const content = String(token['content']);
    const flags = Object.fromEntries(FLAGS.map((flag) => [flag, token[flag] === true]));
    const known = added.get(content);
    if (known && FLAGS.every((flag) => (known[flag] === true) === flags[flag])) return;
    added.set(content, { ...flags, id, content } as AddedJson);
    isChanged = true;
  };
  const named = new Set(NAMED.flatMap((key) => tokensIn(config[key])).map(contentOf));
  const legacy = inOrder(config[LEGACY]).filter((token) => !added.has(contentOf(token) ?? ''));
  const decoder = config['added_tokens_decoder'];
  for (const token of decoder === undefined ? [...added.values(), ...legacy] : inOrder(decoder)) {
    const content = contentOf(token);
    if (!isJsonObject(token) || !content) continue;
    const special = token['special'] === true || named.has(content);
    add({ ...token, special }, added.get(content)?.id ?? vocabulary.idOf(content) ?? next());
  }
  for (const key of [...NAMED, ...EXTRA]) {
    for (const token of tokensIn(config[key])) {
      const content = contentOf(token);
      if (!content || added.has(content)) continue;
      const id = vocabulary.idOf(content) ?? (EXTRA.includes(key) ? next() : undefined);
      // One that is nowhere, and is used, is refused when it is asked for.
      if (id === undefined) continue;
      const flags = isJsonObject(token) ? token : { normalized: false };
      add({ ...flags, content, special: true }, id);
    }
  }
  if (!isChanged) return tokenizerJson;
  return { ...tokenizerJson, added_tokens: [...added.values()].toSorted((a, b) => a.id - b.id) };
}

const isAdded = (token: unknown): token is AddedJson =>
  isJsonObject(token) && typeof token['content'] === 'string' && Number.isInteger(token['id']);

const inOrder = (decoder: unknown): unknown[] =>
  isJsonObject(decoder)
    ? Object.entries(decoder)
        .toSorted(([a], [b]) => Number(a) - Number(b))
        .map(([, token]) => token)
    : [];

/** A token, a list of tokens, or an object of named ones. */
function tokensIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (isJsonObject(value) && typeof value['content'] !== 'string') return Object.values(value);
  return value === undefined || value === null ? [] : [value];
}

const contentOf = (token: unknown): string | null => {
  const content = isJsonObject(token) ? token['content'] : token;
  return typeof content === 'string' && content !== '' ? content : null;
};

/** Of a Unigram model it is a list of tokens with their scores. */
function vocabularyOf(model: unknown): { size(): number; idOf(token: string): number | undefined } {
  const vocabulary = isJsonObject(model) ? model['vocab'] : null;
  if (Array.isArray(vocabulary)) {
    const idOf = (token: string): number | undefined => {
      const at = vocabulary.findIndex((piece) => Array.isArray(piece) && piece[0] === token);
      return at < 0 ? undefined : at;
    };
    return { size: () => vocabulary.length, idOf };
  }
  if (!isJsonObject(vocabulary)) return { size: () => 0, idOf: () => undefined };
  const idOf = (token: string): number | undefined =>
    Object.hasOwn(vocabulary, token) ? Number(vocabulary[token]) : undefined;
  return { size: () => Object.keys(vocabulary).length, idOf };
}

/** Classes of transformers that take `add_prefix_space` from tokenizer_config.json: false where it is not there. */
const TAKES_PREFIX_SPACE = /^(?:GPT2|CodeGen|Qwen2)Tokenizer(?:Fast)?$/;

function refuseOtherTokens({ model, pre_tokenizer: cut }: JsonObject, config: JsonObject, where: string): void {
  if (config['split_special_tokens'] === true)
    throw tokenizerInvalid(
      'split_special_tokens is true in tokenizer_config.json: control tokens would be cut into letters',
      where,
      'set it to false there',
    );
  if (isJsonObject(model) && Number(model['dropout'] ?? 0) > 0)
    throw tokenizerInvalid(
      'its model has a dropout: every reading of a text would give other tokens',
      where,
      'set `dropout` to null in the `model` of tokenizer.json',
    );
  const own = byteLevelOf(cut)?.['add_prefix_space'];
  const configured = config['add_prefix_space'] === true;
  const isTaken = TAKES_PREFIX_SPACE.test(String(config['tokenizer_class']));
  if (isTaken && typeof own === 'boolean' && own !== configured)
    throw tokenizerInvalid(
      `add_prefix_space is ${configured ? 'true' : 'not true'} in tokenizer_config.json and ${own} in tokenizer.json: programs differ in which they take`,
      where,
      'write into both what the model was trained with',
    );
}

function byteLevelOf(cut: unknown): JsonObject | undefined {
  const steps = isJsonObject(cut) && Array.isArray(cut['pretokenizers']) ? cut['pretokenizers'] : [cut];
  return steps.filter(isJsonObject).find(({ type }) => type === 'ByteLevel');
}
