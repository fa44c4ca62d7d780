import { opNames } from '@anneal/kernels/bench/timeOps';
import { UserError } from './errors.ts';

/** @throws UserError `unknown_op` */
export function checkOpNames(names: readonly string[] = []): void {
  const unknown = names.find((name) => !opNames.includes(name));
  if (unknown === undefined) return;
  throw new UserError({
    what: `there is no op ${unknown}`,
    next: `take of ${opNames.join(', ')}`,
    code: 'unknown_op',
  });
}
