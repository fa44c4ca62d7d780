import type { Device } from '@anneal/kernels';
import { type OpTiming, timeOps } from '@anneal/kernels/bench/timeOps';
import { checkOpNames } from '../opNames.ts';
import { deviceName } from './row.ts';

export interface OpBenchRow extends OpTiming {
  readonly suite: 'ops';
  readonly device: string;
}

/** Single ops at a model's shapes, all of them unless `only` names some. Throws UserError `unknown_op`. */
export async function benchOps(device: Device, only?: readonly string[]): Promise<OpBenchRow[]> {
  checkOpNames(only);
  const timings = await timeOps({ device, only });
  return timings.map((timing) => ({ suite: 'ops', device: deviceName(device), ...timing }));
}
