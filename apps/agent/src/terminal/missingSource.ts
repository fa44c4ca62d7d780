import type { MissingSource } from '@anneal/core/protocol/recipes';

export function missingText({ of, name, how }: MissingSource): string {
  return `the ${of === 'model' ? 'model' : 'data set'} ${name} is not here yet; ${how}`;
}
