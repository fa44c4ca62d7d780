import { Engine, type HostArray, type ProgramCall } from '@anneal/kernels';
import type { Batch, StepBatches } from '../datasets/types.ts';
import { fillBucket } from './bucket.ts';

export interface StepResult {
  /** Mean over the step's target tokens. */
  readonly loss: number;
  /** Of all gradients together, before clipping. */
  readonly gradientNorm: number;
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
        this.batchCall('train', batch, {
          lossScale,
          ...(trainInputs.has('dropoutSeed') && { dropoutSeed: Int32Array.of(seed, step * 65_536 + index) }),
        }),
      ),
      {
        program: 'update',
        extents: {},
        inputs: { learningRate: Float32Array.of(learningRate), step: Int32Array.of(step) },
      },
    ];
    const { results } = await this.engine.run(calls, [
      ['update', 'loss'],
      ['update', 'gradientNorm'],
    ]);
    return { loss: scalar(results[0]) / targetTokens, gradientNorm: scalar(results[1]) };
  }

  /** Summed loss over the batches' labels; nothing is trained. */
  async evaluate(batches: readonly Batch[]): Promise<number> {
    const calls = [
      { program: 'begin_evaluation', extents: {}, inputs: {} },
      ...batches.map((batch) => this.batchCall('evaluate', batch)),
    ];
    const { results } = await this.engine.run(calls, [['evaluate', 'loss']]);
    return scalar(results[0]);
  }

  /** Frees the engine's memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.dispose();
  }

  private batchCall(program: string, batch: Batch, more: Record<string, HostArray> = {}): ProgramCall {
    const { device, plan } = this.engine;
    const { tokens, labels, positions, cuSeqlens } = fillBucket(batch, device.bucketTokens, plan.bounds);
    const rows = supervisedRows(labels);
    const extents = { T: tokens.length, S: cuSeqlens.length, R: rows.length };
    return { program, extents, inputs: { tokens, labels, positions, cuSeqlens, supervisedRows: rows, ...more } };
  }

  private program(name: string) {
    const program = this.engine.plan.programs.find((p) => p.name === name);
    if (!program) throw new Error(`the plan has no program ${name}`);
    return program;
  }
}

/** Positions with a label, ascending. */
function supervisedRows(labels: Int32Array): Int32Array {
  return labels.map((label, t) => (label >= 0 ? t : -1)).filter((t) => t >= 0);
}

function scalar(values: HostArray | undefined): number {
  return values?.[0] ?? Number.NaN;
}
