import { addOp } from '../../ops/add/op.ts';
import type { SourceType } from '../addonTypes.ts';
import type { Device } from '../device.ts';
import { Engine, type HostArray } from '../engine.ts';
import { Graph } from '../graph.ts';
import type { Op } from '../op.ts';
import { compile, type Plan } from '../plan.ts';
import type { Tensor } from '../tensor.ts';
import { Variables } from '../variables.ts';
import type { OpCase } from './casesFor.ts';
import { fromBf16Bits, hostArray } from './numbers.ts';
import type { Values } from './values.ts';

/** One case as a program of its own; `inPlace` names the input whose bytes an output is to take over. */
export interface CaseProgram {
  readonly of: OpCase;
  readonly graph: Graph;
  readonly inPlace: string | null;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/**
 * Inputs the op updates, and those of types that the host cannot hand over with a call, are variables. The input to be taken
 * over is computed (by adding zeros), as inputs of a call are never overwritten.
 */
export function caseProgram(
  of: OpCase,
  name: string,
  variables: Variables,
  inPlace: string | null = null,
): CaseProgram {
  const graph = new Graph(name, variables, of.activationType);
  const updated = new Set(Object.values(of.op.updates ?? {}));
  const inputs: Record<string, Tensor> = {};
  for (const [input, { dtype, shape }] of of.inputs) {
    if (updated.has(input) || dtype === 'bf16' || dtype === 'f64') {
      inputs[input] = variables.get(`${name}/${input}`, { shape, dtype, kind: 'state' });
      continue;
    }
    const given = graph.input(input, dtype, shape);
    const zeros = input === inPlace ? graph.input('zeros', 'f32', shape) : null;
    inputs[input] = zeros ? graph.apply(addOp, { a: given, b: zeros }).y : given;
  }
  const outputs = graph.apply(of.op, inputs, of.attributes);
  for (const [output, tensor] of Object.entries(outputs)) graph.result(output, tensor);
  return { of, graph, inPlace, outputs };
}

/** Inputs whose bytes an output of this case may take over. */
export function placesOf({ op, inputs }: OpCase): string[] {
  const names = Object.values<readonly string[] | undefined>(op.inPlace ?? {}).flatMap((all) => all ?? []);
  return [...new Set(names)].filter((name) => inputs.has(name));
}

/** Runs every program on one engine and gives its outputs by name, bf16 as float32. */
export async function runPrograms(
  programs: readonly CaseProgram[],
  variables: Variables,
  device: Device,
): Promise<Map<CaseProgram, Record<string, HostArray>>> {
  const engine = new Engine(planOf(programs, device), device);
  try {
    const results = new Map<CaseProgram, Record<string, HostArray>>();
    for (const program of programs) {
      const { of, graph } = program;
      const values = of.values();
      await writeVariables(engine, of, graph.name, variables, values);
      const wanted = Object.keys(program.outputs);
      const call = { program: graph.name, extents: {}, inputs: callInputs(program, values), results: wanted };
      const outcome = await engine.run([call]);
      results.set(
        program,
        Object.fromEntries(
          wanted.map((name, i) => [name, widened(outcome.results[i] as HostArray, program.outputs[name] as Tensor)]),
        ),
      );
    }
    return results;
  } finally {
    await engine.dispose();
  }
}

export function planOf(programs: readonly CaseProgram[], device: Device): Plan {
  const bounds = { T: 1, S: 1, N: 1 };
  const graphs = programs.map(({ graph }) => graph);
  return compile(graphs, { bounds, activations: 'keep', device });
}

async function writeVariables(
  engine: Engine,
  { inputs }: OpCase,
  program: string,
  variables: Variables,
  values: ReadonlyMap<string, Values>,
): Promise<void> {
  for (const [input, { dtype }] of inputs) {
    const variable = `${program}/${input}`;
    if (!variables.byName.has(variable)) continue;
    const data = (values.get(input) as Values).data;
    await engine.write(variable, hostArray(data, dtype), dtype as SourceType);
  }
}

function callInputs({ graph, of }: CaseProgram, values: ReadonlyMap<string, Values>): Record<string, HostArray> {
  return Object.fromEntries(
    [...graph.inputs].map(([name, { dtype, shape }]) => {
      const count = shape.reduce<number>((product, extent) => product * Number(extent), 1);
      return [
        name,
        hostArray(of.inputs.has(name) ? (values.get(name) as Values).data : new Float64Array(count), dtype),
      ];
    }),
  );
}

function widened(values: HostArray, { dtype }: Tensor): HostArray {
  return dtype === 'bf16' ? Float32Array.from(values, fromBf16Bits) : values;
}

/** Shapes of the op's outputs for these inputs. */
export function outputShapes(of: OpCase): Map<string, readonly number[]> {
  const { outputs } = caseProgram(of, 'shapes', new Variables());
  return new Map(Object.entries(outputs).map(([name, { shape }]) => [name, shape as readonly number[]]));
}

/** Whether the planner put an output of the program's op where the named input lies. */
export function isInPlace({ graph, inPlace, of }: CaseProgram, plan: Plan): boolean {
  const launch = plan.programs.find(({ name }) => name === graph.name)?.launches.at(-1);
  const offset = launch?.offsets.get(launch.node.inputs[inPlace ?? ''] as Tensor);
  return outputsInto(of.op, inPlace).some(
    (output) => launch?.offsets.get(launch.node.outputs[output] as Tensor) === offset,
  );
}

function outputsInto(op: Op, input: string | null): string[] {
  return Object.entries<readonly string[] | undefined>(op.inPlace ?? {})
    .filter(([, inputs]) => input !== null && inputs?.includes(input))
    .map(([output]) => output);
}
