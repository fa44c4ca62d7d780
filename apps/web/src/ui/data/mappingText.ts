/** A mapping of columns as the address has it, and as a recipe. */
import type { ColumnMapping } from '@anneal/core/protocol/columns';
import type { hubEntry } from '@anneal/core/protocol/dataView';

const prefix = 'datasets.0.';

/** JSON is YAML that needs no more quotes. */
export function toAddress(mapping: ColumnMapping): string {
  return Object.entries(mapping)
    .map(([key, value]) => `${prefix}${key}=${JSON.stringify(value)}`)
    .join('\n');
}

/** Undefined for an address that somebody has written otherwise: it is used as it is, and cannot be changed here. */
export function fromAddress(text: string): ColumnMapping | undefined {
  try {
    const entries = text.split('\n').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(prefix.length, equals), JSON.parse(line.slice(equals + 1))] as const;
    });
    return Object.fromEntries(entries) as unknown as ColumnMapping;
  } catch {
    return undefined;
  }
}

/** An entry of `datasets`. */
export function toYaml(entry: ReturnType<typeof hubEntry>, mapping: ColumnMapping): string {
  const lines = Object.entries({ ...entry, ...mapping }).map(([key, value]) => {
    const isPlain =
      typeof value === 'string' && /^[a-z][\w./-]*$/i.test(value) && !/^(?:true|false|null)$/i.test(value);
    return `${key}: ${isPlain ? value : JSON.stringify(value)}`;
  });
  return lines.map((line, i) => `${i === 0 ? '  - ' : '    '}${line}`).join('\n');
}

/** Of a file, as a recipe names it; both by their keys. */
export function pathFrom(recipe: string, file: string): string {
  const [from, to] = [recipe.split('/').slice(0, -1), file.split('/')];
  let shared = 0;
  while (shared < from.length && from[shared] === to[shared]) shared++;
  return [...from.slice(shared).map(() => '..'), ...to.slice(shared)].join('/');
}
