import type { Device } from '@anneal/kernels';
import { type Conformance, conformAll, selectCases } from '@anneal/kernels/cases/conform';
import { UserError } from '../errors.ts';
import { checkOpNames } from '../opNames.ts';

export type { Conformance };

export interface OpSelection {
  /** Only these ops. */
  readonly ops?: readonly string[] | undefined;
  /** Only cases whose names hold this text. */
  readonly caseText?: string | undefined;
}

/** Whether there is any case among them. */
export function selectsCases({ ops, caseText = '' }: OpSelection): boolean {
  return selectCases(ops, caseText).length > 0;
}

/** Every case of every op on a device, or those selected. @throws UserError `unknown_op` or `unknown_case` */
export function verifyOps(device: Device, { ops, caseText = '' }: OpSelection = {}): AsyncGenerator<Conformance> {
  checkOpNames(ops);
  const chosen = selectCases(ops, caseText);
  if (chosen.length > 0) return conformAll(device, chosen);
  throw new UserError({
    what: `no case has ${JSON.stringify(caseText)} in its name`,
    next: 'take a part of a name as selftest prints them where one fails, or as an op’s cases.ts has them',
    code: 'unknown_case',
  });
}
