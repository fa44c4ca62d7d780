import type { Device } from '@anneal/kernels';
import { type Conformance, conformAll } from '@anneal/kernels/cases/conform';
import { checkOpNames } from '../opNames.ts';

export type { Conformance };

/** Every case of every op on a device, or of those with these names. @throws UserError `unknown_op` */
export function verifyOps(device: Device, only?: readonly string[]): AsyncGenerator<Conformance> {
  checkOpNames(only);
  return conformAll(device, only);
}
