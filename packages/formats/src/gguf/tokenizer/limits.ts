import { isJsonObject, type JsonObject } from '../../json.ts';
import { flatten } from '../../tokenizer/splits.ts';

/** What llama.cpp does otherwise with a tokenizer that it has a name for, in sentences. */
export function limitsInLlamaCpp({ normalizer, pre_tokenizer: preTokenizer }: JsonObject): string[] {
  const composes = flatten(normalizer, 'normalizers').some(({ type }) => type === 'NFC');
  const tellsMarks = flatten(preTokenizer, 'pretokenizers').some(
    ({ pattern }) => isJsonObject(pattern) && typeof pattern.Regex === 'string' && pattern.Regex.includes('\\p{M}'),
  );
  return [
    ...(composes
      ? ['llama.cpp does not compose characters (NFC): a letter and an accent that stand apart get other tokens there.']
      : []),
    ...(tellsMarks
      ? [
          'llama.cpp does not tell marks (\\p{M}) from other signs: text in scripts with marks, as Hindi or Thai, may get other tokens there.',
        ]
      : []),
  ];
}
