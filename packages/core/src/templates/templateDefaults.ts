/** Names that a template could read. */
const NAME = /^[A-Za-z_]\w*$/;

/**
 * A chat template in which these variables have these values where its caller gives none: how a model that was trained with
 * `chat_template_kwargs` is used so by programs that know nothing of them. Variables that it does not name are left out.
 */
export function withDefaults(source: string, variables: Readonly<Record<string, unknown>>): string {
  const read = Object.entries(variables).filter(([name]) => NAME.test(name) && source.includes(name));
  const sets = read.map(
    ([name, value]) => `{%- if ${name} is not defined %}{%- set ${name} = ${literal(value)} %}{%- endif %}`,
  );
  if (sets.length === 0 || source.startsWith(sets.join(''))) return source;
  // Jinja takes the line feed after a block away.
  return sets.join('') + (/^\r?\n/.test(source) ? '\n' : '') + source;
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${literal(item)}`)
    .join(', ')}}`;
}
