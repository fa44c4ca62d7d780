/** A merge of tokenizer.json, `"a b"` or `["a", "b"]`; null for what is neither. */
export function readMerge(merge: unknown): readonly [string, string] | null {
  const parts: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
  if (!Array.isArray(parts) || parts.length !== 2) return null;
  return parts.every((part) => typeof part === 'string' && part !== '') ? (parts as [string, string]) : null;
}
