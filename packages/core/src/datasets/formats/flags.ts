import { PythonNumber } from '../../templates/values.ts';

/**
 * A yes or no, also as 0 or 1 and as text, as tables and OpenAI's `weight` have it. Null where none was written, undefined for
 * anything else.
 */
export function flagOf(value: unknown): boolean | null | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value;
  const number = value instanceof PythonNumber ? value.value : value;
  if (number === 0 || number === 1) return number === 1;
  if (typeof value !== 'string') return undefined;
  if (/^(?:true|1(?:\.0)?)$/i.test(value)) return true;
  return /^(?:false|0(?:\.0)?)$/i.test(value) ? false : undefined;
}
