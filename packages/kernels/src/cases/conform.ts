import { opCases } from '../../ops/cases.ts';
import type { Device } from '../device.ts';
import type { HostArray } from '../engine.ts';
import { hasKernel } from '../op.ts';
import { Variables } from '../variables.ts';
import { casesOn, type OpCases } from './casesFor.ts';
import { expectedOutputs } from './expectedOutputs.ts';
import { type CaseProgram, caseProgram, outputShapes, runPrograms } from './runCases.ts';
import { difference } from './values.ts';

/** What a device makes of the cases of one op. */
export interface Conformance {
  readonly op: string;
  /** None where the device has no kernel for it, so that a plan with it is refused. */
  readonly cases: number;
  /** Outputs that are too far from the reference, or differ between two runs, in words. */
  readonly problems: readonly string[];
}

/** Every op's, one after the other, or those of `selectCases`. */
export async function* conformAll(device: Device, chosen: readonly OpCases[] = opCases): AsyncGenerator<Conformance> {
  for (const all of chosen) yield await conform(all, device);
}

/** The ops with these names, and of them the cases whose names hold this text; ops without any are left out. */
export function selectCases(ops: readonly string[] | undefined, caseText: string): OpCases[] {
  return opCases
    .filter(({ op }) => ops?.includes(op.name) ?? true)
    .map((all) => ({ ...all, cases: all.cases.filter(({ name }) => name.includes(caseText)) }))
    .filter(({ cases }) => cases.length > 0);
}

/** Runs every case of the op twice on the device, and compares it with the reference in float64. */
export async function conform(all: OpCases, device: Device): Promise<Conformance> {
  if (!hasKernel(all.op, device)) return { op: all.op.name, cases: 0, problems: [] };
  const variables = new Variables();
  const programs = casesOn(device, all.cases).map((of, i) => caseProgram(of, `case ${i}`, variables));
  const [first, again] = [
    await runPrograms(programs, variables, device),
    await runPrograms(programs, variables, device),
  ];
  const problems = programs.flatMap((program) => [
    ...differences(all, program, first.get(program) ?? {}),
    ...changes(program, first.get(program) ?? {}, again.get(program) ?? {}),
  ]);
  return { op: all.op.name, cases: programs.length, problems };
}

type Outputs = Readonly<Record<string, HostArray>>;

function differences(all: OpCases, { of }: CaseProgram, outputs: Outputs): string[] {
  const expected = expectedOutputs(all, of, of.values(), outputShapes(of));
  return [...expected].flatMap(([output, sums]) => {
    const problem = difference(outputs[output] as HostArray, sums);
    return problem ? [`${of.name}: ${output}${problem}`] : [];
  });
}

function changes({ of }: CaseProgram, first: Outputs, again: Outputs): string[] {
  return Object.entries(first).flatMap(([output, values]) =>
    bytesOf(values).equals(bytesOf(again[output] as HostArray))
      ? []
      : [`${of.name}: ${output} differs between two runs`],
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: HostArray): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
