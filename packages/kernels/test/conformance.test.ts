import { describe, expect, test } from 'vitest';
import { opCases } from '../ops/cases.ts';
import { ops } from '../ops/index.ts';
import { casesOn, type OpCases } from '../src/cases/casesFor.ts';
import { expectedOutputs } from '../src/cases/expectedOutputs.ts';
import {
  type CaseProgram,
  caseProgram,
  isInPlace,
  outputShapes,
  placesOf,
  planOf,
  runPrograms,
} from '../src/cases/runCases.ts';
import { difference, type Sums } from '../src/cases/values.ts';
import { cpuDevice, type Device } from '../src/device.ts';
import type { HostArray } from '../src/engine.ts';
import { hasKernel } from '../src/op.ts';
import { Variables } from '../src/variables.ts';
import { everyDevice, waysToRun } from './everyDevice.ts';

test('every op has cases', () => {
  expect(opCases.map(({ op }) => op.name)).toEqual(ops.map((op) => op.name));
  for (const { op, cases, benchmark } of opCases) {
    expect(cases.length, op.name).toBeGreaterThan(1);
    expect(new Set(cases.map((c) => c.name)).size, `${op.name}: names of its cases`).toBe(cases.length);
    expect(benchmark.length, op.name).toBeGreaterThan(0);
  }
});

describe.each(opCases.map((all) => ({ name: all.op.name, all })))('$name', ({ all }) => {
  const cases = all.cases.map((c) => ({ ...c, values: once(c.values) }));
  const reference = new Map(cases.map((of) => [of, once(() => expectedOf(all, of))]));
  const expected = ({ of }: CaseProgram): Map<string, Sums> => (reference.get(of) as () => Map<string, Sums>)();

  /** Each case by itself, and again for each input whose bytes it may take over. */
  function programsOn(device: Device) {
    const variables = new Variables();
    const separate = casesOn(device, cases).map((of, i) => caseProgram(of, `case ${i}`, variables));
    const inPlace = separate.flatMap(({ of, graph }) =>
      placesOf(of).map((input) => ({
        separate: graph.name,
        program: caseProgram(of, `${graph.name} in ${input}`, variables, input),
      })),
    );
    return { variables, separate, inPlace };
  }

  const devices = everyDevice.filter(({ device }) => hasKernel(all.op, device));

  test.each(devices)('$name agrees with the reference', async ({ device }) => {
    const { variables, separate } = programsOn(device);
    const results = await runPrograms(separate, variables, device);
    const wrong: string[] = [];
    for (const [program, outputs] of results) {
      for (const [output, sums] of expected(program)) {
        const problem = difference(outputs[output] as HostArray, sums);
        if (problem) wrong.push(`${program.of.name}: ${output}${problem}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test.each(devices)('$name gives the same bits with any number of threads and in place', async ({ device }) => {
    const { variables, separate, inPlace } = programsOn(device);
    const programs = [...separate, ...inPlace.map(({ program }) => program)];
    const alone = byName(await runPrograms(programs, variables, device));
    for (const other of waysToRun(device)) {
      const again = byName(await runPrograms(programs, variables, other));
      for (const { graph, of } of programs)
        expect(again.get(graph.name), `${of.name}, run in another way`).toEqual(alone.get(graph.name));
    }
    const plan = planOf(programs, device);
    for (const { separate: name, program } of inPlace) {
      expect(isInPlace(program, plan), `${program.of.name}: ${program.inPlace} is taken over`).toBe(true);
      expect(alone.get(program.graph.name), `${program.of.name} in place of ${program.inPlace}`).toEqual(
        alone.get(name),
      );
    }
  });

  test('a perturbed output is noticed', () => {
    for (const program of programsOn(cpuDevice()).separate) {
      for (const [output, sums] of expected(program)) {
        if (sums.data.length === 0) continue;
        expect(difference(sums.data, sums)).toBeNull();
        for (const change of changes(sums))
          expect(difference(change, sums), `${program.of.name}: ${output}`).not.toBeNull();
      }
    }
  });
});

function once<R>(make: () => R): () => R {
  let made: { value: R } | undefined;
  return () => (made ??= { value: make() }).value;
}

function expectedOf(all: OpCases, of: CaseProgram['of']): Map<string, Sums> {
  return expectedOutputs(all, of, of.values(), outputShapes(of));
}

/** The bytes of every output, which `toEqual` compares exactly. */
function byName(results: ReadonlyMap<CaseProgram, Record<string, HostArray>>): Map<string, Record<string, Buffer>> {
  return new Map(
    [...results].map(([{ graph }, outputs]) => [
      graph.name,
      Object.fromEntries(
        Object.entries(outputs).map(([name, v]) => [name, Buffer.from(v.buffer, v.byteOffset, v.byteLength)]),
      ),
    ]),
  );
}

/** Copies of the values in which the largest one is 1 % larger, zero, or not a number; where all are zero, one is not. */
function changes({ data }: Sums): Float64Array[] {
  const largest = data.reduce((best, value, i) => (Math.abs(value) > Math.abs(data[best] as number) ? i : best), 0);
  const value = data[largest] as number;
  return (value === 0 ? [1e-3, NaN] : [1.01 * value, 0, NaN]).map((changed) => {
    const copy = data.slice();
    copy[largest] = changed;
    return copy;
  });
}
