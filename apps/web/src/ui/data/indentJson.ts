/** JSON on lines of its own, every value as it is written: a number that was parsed may be printed as another one. */
export function indentJson(json: string): string {
  let out = '';
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  const parts = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  for (const [i, part] of parts.entries()) {
    const isEmpty = (part === '{' && parts[i + 1] === '}') || (part === '[' && parts[i + 1] === ']');
    if (part === '{' || part === '[') {
      depth++;
      out += isEmpty ? part : part + line();
    } else if (part === '}' || part === ']') {
      depth--;
      out += /[{[]$/.test(out) ? part : line() + part;
    } else if (part === ',') out += part + line();
    else out += part === ':' ? ': ' : part;
  }
  return out;
}
