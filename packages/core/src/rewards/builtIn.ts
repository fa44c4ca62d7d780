/** The reward functions that are here. Each gives a number for one answer. */
import * as z from 'zod';
import type { BuiltInReward, JudgedAnswerText } from './answer.ts';

/** @throws Error for a schema that is none */
export function builtInReward(reward: BuiltInReward): (answer: JudgedAnswerText) => number {
  switch (reward.type) {
    case 'regex': {
      const pattern = new RegExp(reward.pattern, reward.flags.replace(/[gy]/g, ''));
      return ({ completion }) => (pattern.test(completion) ? 1 : 0);
    }
    case 'exact':
      return ({ answer, row }) => {
        const said = extracted(answer, reward.extract);
        return said !== null && said.trim() === String(expected(row, reward.field)).trim() ? 1 : 0;
      };
    case 'numeric':
      return ({ answer, row }) => {
        const wanted = lastNumber(String(expected(row, reward.field)));
        if (wanted === null) throw new Error(`the field '${reward.field}' holds no number`);
        const said = lastNumber(extracted(answer, reward.extract) ?? '');
        return said !== null && Math.abs(said - wanted) <= reward.tolerance ? 1 : 0;
      };
    case 'json_schema': {
      const schema = z.fromJSONSchema(reward.schema as Parameters<typeof z.fromJSONSchema>[0]);
      return ({ answer }) => (schema.safeParse(jsonOf(answer)).success ? 1 : 0);
    }
    case 'length':
      return ({ tokens }) => Math.max(0, 1 - Math.abs(tokens - reward.target) / reward.target);
    case 'soft_overlong': {
      // Yu et al. 2025, equation 13.
      const { longest, cache } = reward;
      return ({ tokens }) => Math.max(-1, Math.min(0, (longest - cache - tokens) / cache));
    }
    case 'repetition':
      return ({ answer }) => -repeatedShare(answer, reward.ngram);
  }
}

function expected(row: JudgedAnswerText['row'], field: string): unknown {
  const value = row[field];
  if (value === undefined || value === null) throw new Error(`the row has no field '${field}'`);
  return value;
}

/** The first group of the pattern's last match, or all of that; without a pattern the whole answer. */
function extracted(answer: string, pattern: string | null): string | null {
  if (pattern === null) return answer;
  const match = [...answer.matchAll(new RegExp(pattern, 'gs'))].at(-1);
  return match ? (match[1] ?? match[0]) : null;
}

/** Written with or without commas between thousands. */
function lastNumber(text: string): number | null {
  const numbers = text.match(/[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|[-+]?\.\d+/g);
  const last = numbers?.at(-1);
  return last === undefined ? null : Number(last.replaceAll(',', ''));
}

/** What the answer holds as JSON, alone or in a code block; undefined for anything else. */
function jsonOf(answer: string): unknown {
  const block = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(answer);
  try {
    return JSON.parse(block?.[1] ?? answer);
  } catch {
    return undefined;
  }
}

/** Share of the runs of `size` words that were said before. */
function repeatedShare(text: string, size: number): number {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const runs = Math.max(0, words.length - size + 1);
  const seen = new Set(Array.from({ length: runs }, (_, i) => words.slice(i, i + size).join(' ')));
  return runs === 0 ? 0 : 1 - seen.size / runs;
}
