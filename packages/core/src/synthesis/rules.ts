/** The rules of a recipe that a pair must keep. */
import { createContext, Script } from 'node:vm';
import { UserError } from '../errors.ts';
import type { Rules } from './options.ts';
import type { Pair } from './pairs.ts';

export type RuleReason = 'too_short' | 'too_long' | 'pattern' | 'script' | 'not_json_answer';

export interface Broken {
  readonly reason: RuleReason;
  readonly detail: string;
}

/** Share of letters that the named scripts must have. */
const LEAST_SHARE = 0.9;
/** Of one match. Some patterns take longer than the world on a text that does not match. */
const MATCH_MILLISECONDS = 2000;

export class RuleBook {
  readonly #rules: Rules;
  readonly #mustMatch: Matcher | null;
  readonly #mustNotMatch: Matcher | null;
  readonly #script: RegExp | null;

  constructor(rules: Rules) {
    this.#rules = rules;
    this.#mustMatch = rules.mustMatch === null ? null : new Matcher('must_match', rules.mustMatch);
    this.#mustNotMatch = rules.mustNotMatch === null ? null : new Matcher('must_not_match', rules.mustNotMatch);
    const classes = rules.scripts?.map((script) => `\\p{Script=${script}}`).join('');
    this.#script = classes === undefined ? null : new RegExp(`[${classes}]`, 'gu');
  }

  /** The first rule that the pair breaks; null for none. @throws UserError `filter_too_slow` */
  brokenBy(pair: Pair): Broken | null {
    const { question, answer } = pair;
    const { mustMatch, mustNotMatch, scripts, json } = this.#rules;
    for (const part of ['question', 'answer'] as const) {
      const { min, max } = this.#rules[part];
      const { length } = [...pair[part]];
      if (length < min)
        return { reason: 'too_short', detail: `the ${part} has ${length} characters of at least ${min}` };
      if (length > max) return { reason: 'too_long', detail: `the ${part} has ${length} characters of at most ${max}` };
    }
    if (this.#mustMatch?.test(answer) === false) {
      return { reason: 'pattern', detail: `the answer does not match ${mustMatch}` };
    }
    for (const part of ['question', 'answer'] as const) {
      if (this.#mustNotMatch?.test(pair[part])) {
        return { reason: 'pattern', detail: `the ${part} matches ${mustNotMatch}` };
      }
    }
    const share = this.#script === null ? 1 : shareOf(this.#script, `${question} ${answer}`);
    if (share < LEAST_SHARE) {
      return { reason: 'script', detail: `${Math.round(100 * share)} % of the letters are ${scripts?.join(' or ')}` };
    }
    return json && !isJson(answer) ? { reason: 'not_json_answer', detail: 'the answer is no JSON' } : null;
  }
}

/** A pattern whose time is bounded: it runs where it can be stopped. */
class Matcher {
  readonly #key: string;
  readonly #context = createContext(Object.create(null));
  readonly #script: Script;

  constructor(key: string, pattern: string) {
    this.#key = key;
    this.#script = new Script(`new RegExp(${JSON.stringify(pattern)}, 'u').test(text)`);
  }

  test(text: string): boolean {
    this.#context.text = text;
    try {
      return this.#script.runInContext(this.#context, { timeout: MATCH_MILLISECONDS }) as boolean;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause;
      throw new UserError({
        what: `the pattern takes more than ${MATCH_MILLISECONDS / 1000} s on a text of ${text.length} characters`,
        where: `filters.${this.#key}`,
        next: 'write it without repetitions within repetitions; no answer is lost',
        code: 'filter_too_slow',
        cause,
      });
    }
  }
}

function shareOf(script: RegExp, text: string): number {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  return letters === 0 ? 1 : Math.min(1, (text.match(script)?.length ?? 0) / letters);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
