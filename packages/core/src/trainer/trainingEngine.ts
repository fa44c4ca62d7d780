import { Engine, type HostArray, type ProgramCall } from '@anneal/kernels';
import type { Batch, StepBatches } from '../datasets/types.ts';
import type { Measured, Objective, ObjectiveCounts } from '../objectives/objective.ts';
import { type BatchCallOptions, batchCall } from './batchCall.ts';

export interface StepResult extends Measured {
  /** Of all gradients together, before clipping. */
  readonly gradientNorm: number;
  /** Of the routers, before it is weighed: the number of choices where experts are used alike. Null where it is no part of the loss. */
  readonly balanceLoss: number | null;
  /** Of each batch: the loss of each target token, in their order. */
  readonly tokenLosses: readonly Float64Array[];
}

export interface StepOptions {
  /** Counts from 1: AdamW's bias correction and dropout depend on it. */
  readonly step: number;
  readonly learningRate: number;
  /** Of embedding and output layer, where they have one of their own: by the learning rate. */
  readonly embeddingRate?: number;
  readonly seed: number;
}

type Inputs = Readonly<Record<string, HostArray>>;

/** An engine that holds the programs of `trainingPrograms`, made for this objective. */
export class TrainingEngine implements AsyncDisposable {
  readonly engine: Engine;
  private readonly objective: Objective;
  private readonly balanceCoefficient: number;

  /** @param balanceCoefficient of the balance loss, where the programs have one */
  constructor(engine: Engine, objective: Objective, balanceCoefficient = 0) {
    this.engine = engine;
    this.objective = objective;
    this.balanceCoefficient = balanceCoefficient;
  }

  /**
   * One optimizer step: forward and backward over every batch, clipping, the update, as one native call.
   * @param inputsOf what the programs read of a batch beside what is in it
   */
  async step(
    { batches, divergence }: Pick<StepBatches, 'batches' | 'divergence'>,
    { step, learningRate, embeddingRate = 1, seed }: StepOptions,
    inputsOf: (batch: Batch) => Inputs = () => ({}),
  ): Promise<StepResult> {
    const { objective } = this;
    const counts = objective.countsOf(batches, divergence);
    const seeds = ['dropoutSeed', 'noiseSeed'].filter((name) => this.program('train').inputs.has(name));
    const measuring = this.divergenceCalls(divergence);
    const balances = this.program('train').inputs.has('balanceScale');
    const tokens = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
    const balanceScale = Float32Array.of(this.balanceCoefficient / tokens);
    const resultsOfUpdate = ['sums', 'gradientNorm', ...(balances ? ['balance'] : [])];
    const calls: ProgramCall[] = [
      { program: 'begin', extents: {}, inputs: {} },
      ...measuring,
      ...batches.map((batch, index) =>
        this.batchCall('train', batch, {
          inputs: {
            ...objective.trainScales(counts),
            ...Object.fromEntries(seeds.map((name) => [name, Int32Array.of(seed, step * 65_536 + index)])),
            ...(balances && { balanceScale, countedTokens: Int32Array.of(batch.tokens.length) }),
            ...inputsOf(batch),
          },
          results: ['rows'],
        }),
      ),
      {
        program: 'update',
        extents: {},
        inputs: {
          ...(this.program('update').inputs.has('learningRate') && { learningRate: Float32Array.of(learningRate) }),
          ...(this.program('update').inputs.has('embeddingLearningRate') && {
            embeddingLearningRate: Float32Array.of(learningRate * embeddingRate),
          }),
          ...(this.program('update').inputs.has('step') && { step: Int32Array.of(step) }),
        },
        results: resultsOfUpdate,
      },
    ];
    const { results } = await this.engine.run(calls);
    const divergenceSum = measuring.length > 0 ? results[measuring.length - 2] : undefined;
    const ofBatches = results.slice(0, results.length - resultsOfUpdate.length);
    const rows = ofBatches.slice(ofBatches.length - batches.length);
    const [sums = [], norm, balance] = results.slice(ofBatches.length);
    const measured = this.measured(sums, counts, divergenceSum);
    const balanceLoss = balance ? scalar(balance) / tokens : null;
    return {
      ...measured,
      loss: measured.loss + this.balanceCoefficient * (balanceLoss ?? 0),
      gradientNorm: scalar(norm),
      balanceLoss,
      tokenLosses: batches.map((batch, i) => objective.tokenLosses(rows[i] as HostArray, batch)),
    };
  }

  /** What the objective says of all these batches together; nothing is trained. */
  async evaluate(
    batches: Iterable<Batch>,
    divergence: readonly Batch[] = [],
    inputsOf: (batch: Batch) => Inputs = () => ({}),
  ): Promise<Measured> {
    const { objective } = this;
    const begin = { program: 'begin_evaluation', extents: {}, inputs: {} };
    const sum = divergence.length > 0 ? await this.measureDivergence(divergence) : undefined;
    const totals = new Float64Array(objective.sumCount);
    const counts = { tokens: 0, chosen: 0, rejected: 0, sampled: 0, divergencePairs: 0 };
    for (const batch of batches) {
      const own = objective.countsOf([batch], divergence);
      const inputs = { ...objective.evaluationScales(own), ...inputsOf(batch) };
      const { results } = await this.engine.run([
        begin,
        this.batchCall('evaluate', batch, { inputs, results: ['sums'] }),
      ]);
      for (const [i, total] of totals.entries()) totals[i] = total + Number(results[0]?.[i]);
      counts.tokens += own.tokens;
      counts.chosen += own.chosen;
      counts.rejected += own.rejected;
      counts.sampled += own.sampled;
      counts.divergencePairs = own.divergencePairs;
    }
    return this.measured(totals, counts, sum);
  }

  /**
   * Does something with the averages that the optimizer keeps in the place of the parameters; without averages as they are. Training goes
   * on with the same bits.
   */
  async withAverages<T>(work: () => Promise<T>): Promise<T> {
    await this.exchangeAverages();
    const result = await work();
    await this.exchangeAverages(); // where `work` fails, the run ends
    return result;
  }

  /** Puts averages in the place of the parameters, or back. */
  async exchangeAverages(): Promise<void> {
    const program = 'exchange_averages';
    if (!this.engine.plan.programs.some(({ name }) => name === program)) return;
    await this.engine.run([{ program, extents: {}, inputs: {} }]);
  }

  /** Log-probabilities of a batch's target tokens, in their order, as the model is. */
  async labelLogps(batch: Batch): Promise<Float32Array> {
    const begin = { program: 'begin_evaluation', extents: {}, inputs: {} };
    const { results } = await this.engine.run([begin, this.batchCall('evaluate', batch, { results: ['rows'] })]);
    return Float32Array.from(this.objective.tokenLosses(results[0] as HostArray, batch), (loss) => -loss);
  }

  /** Frees the engine's memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.dispose();
  }

  /** Leaves the sum in the variable that `evaluate` and `train` read. */
  private async measureDivergence(batches: readonly Batch[]): Promise<HostArray | undefined> {
    const begin = { program: 'begin_evaluation', extents: {}, inputs: {} };
    const { results } = await this.engine.run([begin, ...this.divergenceCalls(batches)]);
    return results.at(-1);
  }

  /** Each batch's call gives the sum until then. */
  private divergenceCalls(batches: readonly Batch[]): ProgramCall[] {
    if (!this.objective.divergence) return [];
    const begin = { program: 'begin_divergence', extents: {}, inputs: {} };
    return [begin, ...batches.map((batch) => this.batchCall('diverge', batch, { results: ['sum'] }))];
  }

  private measured(sums: ArrayLike<number>, counts: ObjectiveCounts, divergence: HostArray | undefined): Measured {
    const measured = this.objective.read(sums, counts);
    const { preference } = measured;
    if (!preference || !divergence) return measured;
    const mean = scalar(divergence) / counts.divergencePairs;
    return { ...measured, preference: { ...preference, divergence: Math.max(0, mean) } };
  }

  private batchCall(program: string, batch: Batch, options: BatchCallOptions): ProgramCall {
    return batchCall(this.engine, this.objective, program, batch, options);
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
