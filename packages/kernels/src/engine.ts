import { addon } from './addon.ts';
import {
  type LoadOutcome,
  type NativeEngine,
  type Nf4LoadOutcome,
  type SourceType,
  sourceTypes,
} from './addonTypes.ts';
import { type Device, nativeName } from './device.ts';
import type { Plan } from './plan.ts';
import type { PlannedProgram } from './planProgram.ts';
import { byteLength, type DType, describeTensor, type RuntimeDim, runtimeDims, type Tensor } from './tensor.ts';
import { nativeSource, type WeightSource } from './weightSource.ts';

export type HostArray = Int32Array | Float32Array | Float64Array | Uint16Array | Uint8Array;

/** One run of one program, whose runtime extents may be below the plan's bounds; inputs have exactly these extents. */
export interface ProgramCall {
  readonly program: string;
  readonly extents: Readonly<Partial<Record<RuntimeDim, number>>>;
  readonly inputs: Readonly<Record<string, HostArray>>;
  /** What is wanted of the program's results, by name. */
  readonly results?: readonly string[];
}

/** The variables of a matrix in NF4. */
export interface Nf4Names {
  readonly codes: string;
  readonly absmax: string;
  /** Where the absmaxes are quantized themselves; `map` is what their codes stand for, ascending. */
  readonly double: { readonly scales: string; readonly offsets: string; readonly map: Float32Array } | null;
}

/**
 * A plan with its memory on a device. What is asked of it happens in that order, off the event loop. A run is handed to the device
 * while the one before it computes, so that a GPU goes from one to the next; all else waits until the runs before it have ended.
 */
export class Engine {
  readonly plan: Plan;
  readonly device: Device;
  private readonly native: NativeEngine;
  private readonly variableIndex: ReadonlyMap<string, number>;
  /** The last of each that was asked for; none of them rejects. */
  private alone: Promise<unknown> = Promise.resolve();
  private begun: Promise<unknown> = Promise.resolve();
  private runs: readonly [Promise<unknown>, Promise<unknown>] = [Promise.resolve(), Promise.resolve()];

  constructor(plan: Plan, device: Device) {
    this.plan = plan;
    this.device = device;
    this.native = new (addon().NativeEngine)(plan.encode(), nativeName(device));
    this.variableIndex = new Map([...plan.variables.keys()].map((name, index) => [name, index]));
  }

  /**
   * Fills a variable, converting float types as needed; from element `first` on, or all of it.
   * @throws Error where the values are more than fit, or without `first` another number
   */
  write(name: string, bytes: ArrayBufferView, source: SourceType, first?: number): Promise<void> {
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.workAlone(() => this.native.write(this.index(name), view, sourceTypes.indexOf(source), first));
  }

  /** Fills a variable from where its values lie, on all cores. */
  load(name: string, source: WeightSource): Promise<LoadOutcome> {
    return this.workAlone(() => this.native.load(this.index(name), nativeSource(source)));
  }

  /** Fills the variables of a matrix in NF4, encoding the values as `quantizeNf4` does. */
  loadNf4({ codes, absmax, double }: Nf4Names, source: WeightSource): Promise<Nf4LoadOutcome> {
    const variables = {
      codes: this.index(codes),
      absmax: this.index(absmax),
      double: double && { scales: this.index(double.scales), offsets: this.index(double.offsets), map: double.map },
    };
    return this.workAlone(() => this.native.loadNf4(variables, nativeSource(source)));
  }

  /** A copy of a variable's values in its own type (bf16 as Uint16Array). */
  read(name: string): Promise<HostArray> {
    return this.workAlone(async () => {
      const dtype = this.plan.variables.get(name)?.tensor.dtype ?? 'f32';
      return typed(dtype, this.native.read(this.index(name)));
    });
  }

  /** Runs the calls in order as one native call; `results` are those that its calls want, each as it was after its call. */
  run(calls: readonly ProgramCall[]): Promise<{ done: number; results: HostArray[] }> {
    const turn = Promise.all([this.begun, this.alone, this.runs[0]]);
    const outcome = turn.then(async () => {
      const dtypes = calls.flatMap((call) => this.results(call).map(({ tensor }) => tensor.dtype));
      const { done, results } = await this.native.run(calls.map((call) => this.nativeCall(call)));
      return { done, results: results.map((buffer, i) => typed(dtypes[i] as DType, buffer)) };
    });
    this.begun = turn;
    this.runs = [this.runs[1], settled(outcome)];
    return outcome;
  }

  /** Makes the running call list stop before its next call. */
  cancel(): void {
    this.native.cancel();
  }

  setProfiling(on: boolean): void {
    this.native.setProfiling(on);
  }

  /** Milliseconds and launches of each op since the last call, largest first. */
  takeProfile(): { op: string; milliseconds: number; launches: number }[] {
    return this.native.takeProfile().sort((a, b) => b.milliseconds - a.milliseconds);
  }

  /** Frees the device's memory once running calls have ended. */
  dispose(): Promise<void> {
    return this.workAlone(async () => this.native.dispose());
  }

  private workAlone<R>(work: () => Promise<R>): Promise<R> {
    const outcome = Promise.all([this.alone, ...this.runs]).then(work);
    this.alone = settled(outcome);
    return outcome;
  }

  private index(name: string): number {
    const index = this.variableIndex.get(name);
    if (index === undefined) throw new Error(`the plan has no variable ${name}`);
    return index;
  }

  private program(name: string): { program: PlannedProgram; index: number } {
    const index = this.plan.programs.findIndex((p) => p.name === name);
    const program = this.plan.programs[index];
    if (!program) throw new Error(`the plan has no program ${name}`);
    return { program, index };
  }

  private results({ program: programName, results = [] }: ProgramCall): { position: number; tensor: Tensor }[] {
    const { program } = this.program(programName);
    const names = [...program.results.keys()];
    return results.map((name) => {
      const tensor = program.results.get(name)?.tensor;
      if (!tensor) throw new Error(`program ${programName} has no result ${name}`);
      return { position: names.indexOf(name), tensor };
    });
  }

  private nativeCall(call: ProgramCall) {
    const { program, index } = this.program(call.program);
    const names = [...program.inputs.keys()];
    const missing = names.filter((name) => !(name in call.inputs));
    if (missing.length > 0) throw new Error(`program ${call.program} lacks its input ${missing.join(', ')}`);
    return {
      program: index,
      dims: Int32Array.from(runtimeDims, (dim) => call.extents[dim] ?? 0),
      inputs: names.map((name, i) => {
        const values = call.inputs[name] as HostArray;
        const tensor = program.inputs.get(name)?.tensor as Tensor;
        if (values.byteLength !== byteLength(tensor, call.extents))
          throw new Error(
            `program ${call.program}: ${values.length} values do not fill input ${describeTensor(tensor)}`,
          );
        return [i, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)] as const;
      }),
      results: this.results(call).map(({ position, tensor }) => [position, byteLength(tensor, call.extents)] as const),
    };
  }
}

/** Resolves when it has: the caller gets the rejection, and what comes next goes on. */
function settled(outcome: Promise<unknown>): Promise<unknown> {
  return outcome.catch(() => undefined);
}

/** bfloat16 values as float32. */
export function float32Of(values: HostArray): Float32Array {
  if (values instanceof Float32Array) return values;
  if (!(values instanceof Uint16Array)) throw new Error('neither float32 nor bfloat16 values');
  // Uint32Array.from with a function takes 30 times as long, which for the logits of each token is most of decoding on a GPU.
  const bits = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = (values[i] as number) << 16;
  return new Float32Array(bits.buffer);
}

function typed(dtype: DType, buffer: ArrayBuffer): HostArray {
  if (dtype === 'f32') return new Float32Array(buffer);
  if (dtype === 'f64') return new Float64Array(buffer);
  if (dtype === 'bf16') return new Uint16Array(buffer);
  if (dtype === 'u8') return new Uint8Array(buffer);
  return new Int32Array(buffer);
}
