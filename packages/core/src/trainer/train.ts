import type { LoaderState } from '../datasets/loader.ts';
import { deviceFault } from '../deviceFault.ts';
import { UserError } from '../errors.ts';
import { withTemplateDefaults } from '../generate/modelText.ts';
import type { CheckpointReason } from '../protocol/events.ts';
import { keptInMemory, type OpenedRewards } from '../rewards/openRewards.ts';
import { writeAnswers } from './answerFiles.ts';
import { answerSamples } from './answerSamples.ts';
import { type CheckpointContents, type TrainerState, writeCheckpoint } from './checkpoint.ts';
import { DocumentLosses } from './documentLosses.ts';
import { environmentOf } from './environment.ts';
import { evaluate } from './evaluate.ts';
import { fitOf, misfit } from './fit.ts';
import { initializeOptimizer } from './initialize.ts';
import { checkInputs, pinInputs } from './inputs.ts';
import { interval, type Job } from './job.ts';
import { openJudgements } from './judgements.ts';
import { peakMemory } from './peakMemory.ts';
import { type RecipeChanges, recordChange, refuseShortChange } from './recipeChange.ts';
import type { Repetition } from './repetition.ts';
import { findResumption, freshState, type Resumption, restore } from './resumption.ts';
import { openSessionRewards, Rollouts } from './rollouts.ts';
import { runDate } from './runDate.ts';
import type { RunDirectory } from './runDirectory.ts';
import { openSession, type Session } from './session.ts';
import { sessionEvents } from './sessionEvents.ts';
import { startEngine } from './startEngine.ts';
import { stepEvent } from './stepEvent.ts';
import { recordStop, type TrainSignal, unlessStopped, untilStopped } from './stopping.ts';
import { type SubmittedStep, submitSteps } from './submittedStep.ts';
import { type StepResult, TrainingEngine } from './trainingEngine.ts';

export interface TrainOptions {
  /** What this launch changes in the recipe of the run; `job` follows it already. Done and recorded once it is clear that the run can go on. */
  readonly change?: RecipeChanges | undefined;
  /** A folder in which prepared data are kept for others that prepare the same. */
  readonly preparedCache?: string | undefined;
  /** Of Anneal, for the record. */
  readonly version?: string | undefined;
  /** Of a launch that repeats steps of another run. */
  readonly repetition?: Repetition | undefined;
  /** Called once everything was looked at and the first event is about to be written. */
  readonly onAccepted?: (() => void) | undefined;
}

/**
 * Trains a job to its end, recording everything in its run directory. Continues from the newest checkpoint there, or from the
 * job's own `resumeFrom`; a run that was killed at any moment and started again ends with the same bits. Nothing is recorded, and
 * nothing written, before inputs and checkpoint were compared with what the run pinned.
 * @throws UserError when the loss is not finite, the GPU fails, or a checkpoint does not fit; what was saved before stays
 */
export async function train(
  job: Job,
  out: RunDirectory,
  signal: TrainSignal,
  { change, preparedCache, version, repetition, onAccepted }: TrainOptions = {},
): Promise<void> {
  const resumption = await findResumption(job, out);
  const created = repetition?.created ?? out.status.created;
  const goesOn = out.pinned() !== undefined || repetition !== undefined;
  const session = await prepareSession(job, out, signal, { preparedCache, created, goesOn });
  if (!session) return;
  try {
    if (change) refuseShortChange(session, out, resumption);
    if (resumption === null && !repetition) refuseSmallDisk(session, out);
    using judgements = job.rollouts && openJudgements(out.path, job.rollouts);
    await using rewards =
      job.rollouts && (await openSessionRewards(job.rollouts, session, judgements ?? keptInMemory()));
    onAccepted?.();
    if (change && change.changes.length > 0) recordChange(session, out, change, resumption);
    if (out.pinned() === undefined) await pinInputs(session, out);
    for (const event of sessionEvents(session)) out.record(event);
    await trainSession(session, out, signal, { resumption, rewards, repetition, version });
  } catch (error) {
    throw deviceFault(error, out.path) ?? error;
  } finally {
    await session.close();
  }
}

/**
 * At once, as `anneal estimate` does, not when the disk is full hours later. The tokens lie there already; of a resumed run
 * most checkpoints do, and of a repetition few are saved.
 */
function refuseSmallDisk(session: Session, out: RunDirectory): void {
  const { disk } = fitOf(session, out.path);
  const nothing = { needed: 0, available: 0 };
  const needed = disk.checkpoint * disk.checkpoints;
  const trouble = misfit({ memory: nothing, host: nothing, disk: { ...disk, needed } });
  if (trouble) throw trouble;
}

/** Null when the run was asked to stop meanwhile: large data take minutes. */
async function prepareSession(
  job: Job,
  out: RunDirectory,
  signal: TrainSignal,
  { preparedCache, created, goesOn }: { preparedCache: string | undefined; created: string; goesOn: boolean },
): Promise<Session | null> {
  return untilStopped(out, signal, (abort, look) =>
    openSession(job, {
      dataFolder: out.dataFolder,
      preparedCache,
      goesOn,
      onData: look,
      signal: abort,
      now: runDate(created),
      ...(out.pinned() && { onOpened: (opened) => checkInputs(opened, out) }),
    }),
  );
}

async function trainSession(
  session: Session,
  out: RunDirectory,
  signal: TrainSignal,
  {
    resumption,
    rewards,
    repetition,
    version = 'unknown',
  }: { resumption: Resumption | null; rewards: OpenedRewards | null } & Pick<TrainOptions, 'repetition' | 'version'>,
): Promise<void> {
  const { job, loader, data, totalSteps } = session;
  const checkpoint = resumption?.folder ?? null;
  const begun = await untilStopped(out, signal, (abort, look) =>
    startEngine(session, checkpoint, {
      onLinear: (linears, of) => {
        if (linears % Math.ceil(of / 10) === 0) out.record({ type: 'initializing', linears, of });
        look();
      },
      signal: abort,
    }),
  );
  if (!begun) return;
  const { engine: native, start } = begun;
  await using engine = new TrainingEngine(native, session.objective, session.balanceLoss);
  await using rollouts = rewards && job.rollouts ? new Rollouts(job.rollouts, session, engine, rewards) : null;
  using losses = new DocumentLosses(out.path, data.train.count, resumption?.data.epoch ?? 0);
  const contents: CheckpointContents = {
    engine: engine.engine,
    model: withTemplateDefaults(session.model, job.data.text),
    lora: job.adapter && session.lora ? { options: job.adapter.options, spec: session.lora, start } : null,
    baseModel: job.baseModel,
    revision: job.revision,
  };
  const evaluateEvery = interval(job.evaluate, loader.stepsPerEpoch);
  const saveEvery = interval(job.save, loader.stepsPerEpoch);
  const saves = (step: number) => (repetition ? repetition.saveAfter.includes(step) : step % saveEvery === 0);
  // The best weights can only be kept if every evaluation has a checkpoint.
  const keepsBest = job.keepBest && !repetition;

  if (!resumption) await initializeOptimizer(engine.engine, session.beginsAs);
  let state = resumption ? await restore(resumption, session, engine) : freshState;
  out.recordStart({ totalSteps, fromStep: state.step, environment: environmentOf(job.device, version) });
  await engine.withAverages(() => answerSamples(session, engine, out, state.step));
  const stopsEarly = () => job.patience !== null && state.evaluationsWithoutGain >= job.patience;

  const submit = submitSteps(session, engine, rollouts, signal);
  const evaluates = (step: number) => data.validation && (step === totalSteps || step % evaluateEvery === 0);
  /** What follows this step needs its weights: the next one may not begin before. */
  const pauses = (step: number) =>
    step === totalSteps ||
    saves(step) ||
    evaluates(step) ||
    step === repetition?.stopAfter ||
    signal.saveRequested ||
    signal.stopRequested;

  let last: StepResult | null = null;
  let savedAt = state.step;
  const save = async (position: LoaderState, about: { metric?: number | undefined; why: CheckpointReason }) => {
    losses.sync(); // later steps are done again where they are lost, these never
    const limit = repetition ? undefined : job.saveLimit;
    const write = (folder: string) => writeCheckpoint(folder, contents, state, job.seed, position);
    await engine.withAverages(() => out.saveCheckpoint(state.step, write, { ...about, limit }));
    savedAt = state.step;
  };
  /** Validation, checkpoint and samples of the step that was done last. False: given up, as the run was asked to stop. */
  const conclude = async (): Promise<boolean> => {
    const { evaluationIsDue: wasGivenUp = false, ...done } = state;
    state = done;
    const { step } = state;
    const isLast = step === totalSteps;
    let metric: number | undefined;
    if (evaluates(step) || (wasGivenUp && data.validation)) {
      const evaluated = await engine.withAverages(() =>
        unlessStopped(signal, (abort) => evaluate(engine, session, rollouts, abort)),
      );
      if (evaluated === null) {
        state = { ...state, evaluationIsDue: true };
        if (!wasGivenUp) await save(loader.state(), { why: 'stop' });
        recordStop(out, signal, step);
        return false;
      }
      metric = evaluated.loss;
      out.record({ type: 'evaluated', step, ...evaluated });
      if (!Number.isFinite(metric)) throw notFinite(out, `after step ${step} the validation loss is ${metric}`);
      state = afterEvaluation(state, metric);
    }
    if (step === repetition?.stopAfter) signal.stopRequested = true;
    const ends = isLast || stopsEarly() || signal.stopRequested;
    const why = isLast || stopsEarly() ? 'end' : reasonToSave(signal, saves(step));
    if (ends || wasGivenUp || signal.saveRequested || saves(step) || (keepsBest && metric !== undefined)) {
      signal.saveRequested = false;
      await save(loader.state(), { metric, why });
      // A later launch answers what a stop leaves open, but after the last step there is none.
      if (isLast || stopsEarly() || !signal.stopRequested) {
        await engine.withAverages(() => answerSamples(session, engine, out, step));
      }
    }
    return true;
  };

  if (state.evaluationIsDue && !(await conclude())) return;
  let collectedAt = 0;
  let next: SubmittedStep | null = null;
  while (state.step < totalSteps && !stopsEarly()) {
    if (signal.stopRequested && !next) {
      recordStop(out, signal, savedAt);
      return;
    }
    const current: SubmittedStep = next ?? (await submit(state.step + 1));
    const { step, batches, started, outcome } = current;
    // What is sampled for the next step depends on what this one learns.
    next = job.device.queuesSteps && !rollouts && !pauses(step) ? await submit(step + 1) : null;
    const done = await outcome;
    if (done === null) {
      if (savedAt < state.step) await save(current.position, { why: 'stop' });
      recordStop(out, signal, savedAt);
      return;
    }
    const { result, sampled } = done;
    last = result;
    const milliseconds = performance.now() - Math.max(started, collectedAt);
    collectedAt = performance.now();
    const epoch = batches.epoch + (batches.index + 1) / loader.stepsPerEpoch;
    state = { ...state, step, epoch, milliseconds: state.milliseconds + milliseconds };
    // Also of a step that is the last because of them. A prompt has many answers, and no loss of its own.
    if (sampled === null) losses.record(batches, last.tokenLosses);
    else if (job.rollouts?.keepsAnswers) writeAnswers(out.path, step, sampled.answers);
    const isFinite = Number.isFinite(last.loss) && Number.isFinite(last.gradientNorm);
    if (!isFinite || step % job.logEvery === 0 || step === totalSteps) {
      out.record(stepEvent(current, done, { epoch, milliseconds }));
    }
    if (!isFinite) {
      const [loss, norm] = [last.loss, last.gradientNorm].map((value) => Number(value.toPrecision(6)));
      throw notFinite(out, `at step ${step} the loss is ${loss} and the gradient norm ${norm}`);
    }

    if (next) continue;
    if (!(await conclude())) return;
  }
  if (stopsEarly() && state.bestStep !== null && state.bestLoss !== null) {
    out.record({ type: 'early_stopped', step: state.step, bestStep: state.bestStep, bestLoss: state.bestLoss });
  }
  out.record({
    type: 'finished',
    step: state.step,
    loss: last?.loss ?? out.status.loss,
    ...(out.status.evaluationLoss !== null && { evaluationLoss: out.status.evaluationLoss }),
    milliseconds: state.milliseconds,
    peakMemory: peakMemory(),
  });
}

/** Of a checkpoint before the end. */
function reasonToSave({ stopRequested, saveRequested }: TrainSignal, isDue: boolean): CheckpointReason {
  if (stopRequested) return 'stop';
  if (saveRequested) return 'asked';
  return isDue ? 'cadence' : 'evaluation';
}

function afterEvaluation(state: TrainerState, loss: number): TrainerState {
  const improved = state.bestLoss === null || loss < state.bestLoss;
  if (improved) return { ...state, bestLoss: loss, bestStep: state.step, evaluationsWithoutGain: 0 };
  return { ...state, evaluationsWithoutGain: state.evaluationsWithoutGain + 1 };
}

function notFinite(out: RunDirectory, found: string): UserError {
  return new UserError({
    what: `${found}: training has diverged`,
    where: out.path,
    next: `lower learning_rate, lengthen the warm-up, or look at the rows of this step; ${
      out.status.checkpoint === null ? 'no checkpoint was saved before' : 'the last checkpoint is from before'
    }`,
    code: 'loss_not_finite',
  });
}
