import { UserError } from '../errors.ts';
import type { RecipeChange } from '../protocol/events.ts';
import type { Resumption } from './resumption.ts';
import type { RunDirectory } from './runDirectory.ts';
import type { Session } from './session.ts';

/** What a launch changes in the recipe of its run. */
export interface RecipeChanges {
  readonly resolvedText: string;
  readonly changes: readonly RecipeChange[];
}

/** A change that leaves nothing to train would end the run again at once. @throws UserError `run_finished` */
export function refuseShortChange(
  { job, totalSteps }: Session,
  out: RunDirectory,
  resumption: Resumption | null,
): void {
  if (resumption === null) return;
  const { step, evaluationsWithoutGain } = resumption.state;
  const stoppedEarly = job.patience !== null && evaluationsWithoutGain >= job.patience;
  if (step < totalSteps && !stoppedEarly) return;
  throw new UserError({
    what: stoppedEarly
      ? `the run has stopped early: ${evaluationsWithoutGain} evaluations without a lower validation loss`
      : `the run has ${step} steps behind it, and would have ${totalSteps}`,
    where: out.path,
    next: stoppedEarly
      ? 'raise early_stopping_patience as well, or set it to null'
      : 'set max_steps or num_epochs higher',
    code: 'run_finished',
  });
}

export function recordChange(
  { job, totalSteps, learningRate }: Session,
  out: RunDirectory,
  { resolvedText, changes }: RecipeChanges,
  resumption: Resumption | null,
): void {
  const before = out.status.totalSteps;
  out.changeRecipe(resolvedText, changes);
  const step = resumption?.state.step ?? 0;
  if (before === null || before === totalSteps) return;
  const [old, now] = [job.scheduleFor(before), learningRate].map((rate) => Number(rate(step).toPrecision(6)));
  if (old === now) return;
  out.record({
    type: 'warning',
    code: 'schedule_stretched',
    message: `the learning rate now follows its schedule over ${totalSteps} steps: after step ${step} it is ${now}, where over ${before} steps it was ${old}`,
    next: 'with lr_scheduler: constant a longer run is the same training from its first step on, with warmup_stable_decay from a checkpoint before its decay',
  });
}
