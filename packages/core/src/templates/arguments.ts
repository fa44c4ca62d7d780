import { TemplateError } from './errors.ts';
import type { Kwargs, Value } from './values.ts';

/** What was given by place or by name, in the order of these names; undefined for what was not. */
export type Given = readonly (Value | undefined)[];

/**
 * Gives each argument its place, as Python does.
 * @throws TemplateError for one that is not known here: left aside, it would print something else without a word
 */
export function boundArguments(
  callee: string,
  parameters: readonly string[],
  args: readonly Value[],
  kwargs: Kwargs,
): Given {
  if (args.length > parameters.length) {
    throw new TemplateError(`${callee}() is known with ${parameters.length} arguments here, and has ${args.length}`);
  }
  for (const name of Object.keys(kwargs)) {
    const at = parameters.indexOf(name);
    if (at < 0) throw new TemplateError(`${callee}() has an argument '${name}', which is not known here`);
    if (at < args.length) throw new TemplateError(`${callee}() got multiple values for argument '${name}'`);
  }
  return parameters.map((name, i) => (i < args.length ? args[i] : kwargs[name]));
}
