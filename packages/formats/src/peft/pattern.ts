import { UserError } from '../errors.ts';
import { LIMITS } from '../limits.ts';

/**
 * PEFT reads the keys of rank_pattern and alpha_pattern as Python regular expressions for the end of a module's name. They come
 * from a file, so only the part that Python and JavaScript share and that cannot backtrack for long is accepted: literals,
 * classes, alternatives, and at most three quantifiers, none of them on a group.
 */
const ALLOWED = /^(?:[\w.^$|()\-/]|\\[.dws]|\[\^?[\w\-.\\]+\]|[*+?]|\{\d+(?:,\d*)?\})*$/;

/** @throws UserError `adapter_pattern_unsupported` */
export function checkPattern(pattern: string, where: string): void {
  const quantifiers = pattern.match(/[*+?{]/g)?.length ?? 0;
  const short = pattern.length <= LIMITS.patternCharacters;
  if (short && ALLOWED.test(pattern) && quantifiers <= 3 && !/\)[*+?{]|\(\?/.test(pattern) && compiles(pattern)) return;
  throw new UserError({
    what: `the pattern ${JSON.stringify(pattern.slice(0, 200))} is not a regular expression that Anneal evaluates`,
    where,
    next: 'write the module names out, one key each',
    code: 'adapter_pattern_unsupported',
  });
}

/** The value of the first pattern that fits the end of `moduleName` at a dot, as PEFT's get_pattern_key does. */
export function lookUpPattern(patterns: Readonly<Record<string, number>>, moduleName: string): number | undefined {
  return Object.entries(patterns).find(([pattern]) => anchored(pattern).test(moduleName))?.[1];
}

function anchored(pattern: string): RegExp {
  return new RegExp(`^(.*\\.)?(${pattern})$`, 'u');
}

function compiles(pattern: string): boolean {
  try {
    anchored(pattern);
    return true;
  } catch {
    return false;
  }
}
