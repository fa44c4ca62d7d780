import { isJsonObject } from '@anneal/formats/json';

/** The ids put around a plain text. */
export interface Surroundings {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export const NOTHING: Surroundings = { before: [], after: [] };

/** @param description `post_processor`; @returns null for one that does anything else than put tokens before and after */
export function surroundingsOf(description: unknown): Surroundings | null {
  if (description === null || description === undefined) return NOTHING;
  if (!isJsonObject(description)) return null;
  switch (description.type) {
    case 'ByteLevel': // moves offsets only; with a template in it the library takes it for one
      return 'single' in description ? null : NOTHING;
    case 'Sequence': {
      if (!Array.isArray(description.processors)) return null;
      const parts = description.processors.map(surroundingsOf);
      return parts.every((part) => part !== null) ? parts.reduce(around, NOTHING) : null;
    }
    case 'TemplateProcessing':
      return ofTemplate(description.single, description.special_tokens);
    default:
      return null;
  }
}

const around = (inner: Surroundings, outer: Surroundings): Surroundings => ({
  before: [...outer.before, ...inner.before],
  after: [...inner.after, ...outer.after],
});

function ofTemplate(single: unknown, tokens: unknown): Surroundings | null {
  if (!Array.isArray(single) || !isJsonObject(tokens)) return null;
  const idsOf = (item: unknown): readonly number[] | 'text' | null => {
    if (!isJsonObject(item)) return null;
    if (isJsonObject(item.Sequence)) return 'text';
    const token = isJsonObject(item.SpecialToken) ? tokens[String(item.SpecialToken.id)] : null;
    return isJsonObject(token) && Array.isArray(token.ids) ? (token.ids as number[]) : null;
  };
  const items = single.map(idsOf);
  const text = items.indexOf('text');
  const ids = items.filter((item) => item !== 'text' && item !== null) as (readonly number[])[];
  if (text < 0 || ids.length !== items.length - 1) return null;
  return { before: ids.slice(0, text).flat(), after: ids.slice(text).flat() };
}
