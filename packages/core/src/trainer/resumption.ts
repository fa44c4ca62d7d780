/** Going on from a checkpoint: where a launch begins, and what it takes over. */
import { UserError } from '../errors.ts';
import { type CheckpointState, openCheckpoint, readOptimizer, type TrainerState } from './checkpoint.ts';
import type { Job } from './job.ts';
import type { RunDirectory } from './runDirectory.ts';
import type { Session } from './session.ts';
import type { TrainingEngine } from './trainingEngine.ts';

/** Where a launch goes on. */
export interface Resumption extends CheckpointState {
  readonly folder: string;
}

/** @throws UserError `checkpoint_damaged`, `not_a_checkpoint` */
export async function findResumption(job: Job, out: RunDirectory): Promise<Resumption | null> {
  const latest = await out.latestCheckpoint();
  const folder = latest?.path ?? job.resumeFrom;
  if (folder === null) return null;
  return { folder, ...(await openCheckpoint(folder, latest && out.checkpointSha256(latest.step))) };
}

/** Of a run that begins. */
export const freshState: TrainerState = {
  step: 0,
  epoch: 0,
  bestLoss: null,
  bestStep: null,
  evaluationsWithoutGain: 0,
  milliseconds: 0,
};

/** `startEngine` has loaded the weights from the same checkpoint; here come moments, position and counters. */
export async function restore(
  { folder: checkpoint, state, data }: Resumption,
  session: Session,
  training: TrainingEngine,
): Promise<TrainerState> {
  const { loader, job, totalSteps } = session;
  await readOptimizer(checkpoint, training.engine);
  await training.exchangeAverages(); // a checkpoint has them in the place of the weights
  assertFits(checkpoint, { state, data }, { stepsPerEpoch: loader.stepsPerEpoch });
  if (checkpoint === job.resumeFrom) assertFits(checkpoint, { state, data }, { totalSteps });
  loader.restore(data);
  return state;
}

/** That a run of such length can go on from a checkpoint. @throws UserError `checkpoint_of_another_run` */
export function assertFits(
  checkpoint: string,
  { state, data }: CheckpointState,
  { stepsPerEpoch, totalSteps }: { stepsPerEpoch?: number; totalSteps?: number },
): void {
  const refuse = (what: string, next: string) =>
    new UserError({ what, where: checkpoint, next, code: 'checkpoint_of_another_run' });
  if (stepsPerEpoch !== undefined && data.index >= stepsPerEpoch) {
    throw refuse(
      `the checkpoint is ${data.index} steps into an epoch, this run's epochs have ${stepsPerEpoch}`,
      'resume with the data and batch sizes it was made with, or start anew with lora_model_dir',
    );
  }
  if (totalSteps !== undefined && state.step >= totalSteps) {
    throw refuse(
      `the checkpoint has ${state.step} steps behind it, this run is to have ${totalSteps}`,
      'raise max_steps or num_epochs',
    );
  }
}
