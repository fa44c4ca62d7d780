import { Engine, type HostArray, type ProgramCall } from '@anneal/kernels';
import type { Batch, StepBatches } from '../datasets/types.ts';
import { batchCall } from './batchCall.ts';

export interface StepResult {
  /** Mean over the step's target tokens. */
  readonly loss: number;
  /** Of all gradients together, before clipping. */
  readonly gradientNorm: number;
  /** Of each batch: the loss of each target token, in their order. */
  readonly tokenLosses: readonly Float64Array[];
}

export interface StepOptions {
  /** Counts from 1: AdamW's bias correction and dropout depend on it. */
  readonly step: number;
  readonly learningRate: number;
  readonly seed: number;
}

/** An engine that holds the programs of `trainingPrograms`. */
export class TrainingEngine implements AsyncDisposable {
  readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** One optimizer step: forward and backward over every batch, clipping, AdamW, as one native call. */
  async step({ batches, targetTokens }: StepBatches, { step, learningRate, seed }: StepOptions): Promise<StepResult> {
    const { inputs: trainInputs } = this.program('train');
    const lossScale = Float32Array.of(1 / targetTokens);
    const calls: ProgramCall[] = [
      { program: 'begin', extents: {}, inputs: {} },
      ...batches.map((batch, index) =>
        batchCall(this.engine, 'train', batch, {
          inputs: {
            lossScale,
            ...(trainInputs.has('dropoutSeed') && { dropoutSeed: Int32Array.of(seed, step * 65_536 + index) }),
          },
          results: ['losses'],
        }),
      ),
      {
        program: 'update',
        extents: {},
        inputs: { learningRate: Float32Array.of(learningRate), step: Int32Array.of(step) },
        results: ['loss', 'gradientNorm'],
      },
    ];
    const { results } = await this.engine.run(calls);
    const [loss, gradientNorm] = results.slice(batches.length).map(scalar) as [number, number];
    const tokenLosses = results.slice(0, batches.length) as Float64Array[];
    return { loss: loss / targetTokens, gradientNorm, tokenLosses };
  }

  /** Summed loss over the batches' labels; nothing is trained. */
  async evaluate(batches: readonly Batch[]): Promise<number> {
    const { results } = await this.engine.run([
      { program: 'begin_evaluation', extents: {}, inputs: {} },
      ...batches.map((batch) => batchCall(this.engine, 'evaluate', batch, { results: ['loss'] })),
    ]);
    return scalar(results.at(-1));
  }

  /** Frees the engine's memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.dispose();
  }

  private program(name: string) {
    const program = this.engine.plan.programs.find((p) => p.name === name);
    if (!program) throw new Error(`the plan has no program ${name}`);
    return program;
  }
}

function scalar(values: HostArray | undefined): number {
  return values?.[0] ?? Number.NaN;
}
