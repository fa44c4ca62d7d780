import { isJsonObject, type JsonObject } from '@anneal/formats/json';

/**
 * A tokenizer without the added tokens for which the model has no row: somebody added a padding token, say, and left the
 * embedding as it was. The model never sees them, so a text that spells one is a text like any other.
 * @param rows of the embedding
 * @returns the two files without them, and their texts
 */
export function withoutUnusedTokens(
  { tokenizerJson, tokenizerConfig }: { tokenizerJson: JsonObject; tokenizerConfig: JsonObject },
  rows: number,
): { tokenizerJson: JsonObject; tokenizerConfig: JsonObject; unused: string[] } {
  const { added_tokens: added } = tokenizerJson;
  const isUnused = (token: unknown): boolean => isJsonObject(token) && Number(token['id']) >= rows;
  if (!Array.isArray(added) || !added.some(isUnused)) return { tokenizerJson, tokenizerConfig, unused: [] };
  const unused = added.filter(isUnused).map((token: JsonObject) => String(token['content']));
  const { pad_token: pad, ...rest } = tokenizerConfig;
  const padText = isJsonObject(pad) ? pad['content'] : pad;
  return {
    tokenizerJson: { ...tokenizerJson, added_tokens: added.filter((token) => !isUnused(token)) },
    tokenizerConfig: unused.includes(String(padText)) ? rest : tokenizerConfig,
    unused,
  };
}
