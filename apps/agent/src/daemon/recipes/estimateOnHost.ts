/** What this machine adds to an estimate: what is free on each device, and how fast such a run was. */
import type { Estimate, LiveEstimate } from '@anneal/core/protocol/estimates';
import type { ListedRun } from '@anneal/core/protocol/studio';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import { deviceOfLiveRun, deviceOfRun, hostDevices } from '../../service/host/devices.ts';
import type { Agent } from '../router/trpc.ts';
import { placeOf, type StepTable } from '../runs/stepTable.ts';

/** Whose speed counts. */
const recentSteps = 400;

type OnHost = Extract<LiveEstimate, { stage: 'estimated' }>;

export async function withHost(
  { telemetry, feeds }: Pick<Agent, 'telemetry' | 'feeds'>,
  { recipe, estimate }: { recipe: ResolvedRecipe; estimate: Estimate },
): Promise<OnHost> {
  const device = deviceOfRun(recipe.device);
  const [{ memory, gpus }, runs] = await Promise.all([telemetry.sample(), feeds.all()]);
  const devices = hostDevices().map(({ name, title }) => {
    // CUDA and nvidia-smi may count in another order: the name has to be the same.
    const gpu = gpus?.find((each) => name === `cuda:${each.index}` && title === each.name);
    return { name, free: name === 'cpu' ? memory.available : gpu ? gpu.memory.total - gpu.memory.used : null };
  });
  const time = recipe.trl ? null : timeOf(estimate, recipe, device, runs);
  return { stage: 'estimated', estimate, device, devices, time };
}

/** By the newest run that trains the same in the same place; null where there is none. */
export function timeOf(
  { steps, data }: Pick<Estimate, 'steps' | 'data'>,
  { base_model, adapter }: Pick<ResolvedRecipe, 'base_model' | 'adapter'>,
  device: string,
  runs: readonly MeasuredRun[],
): OnHost['time'] {
  const newest = runs
    .filter(({ summary: run }) => run.baseModel === base_model && run.adapter === adapter)
    .filter(({ summary: run, steps: done }) => done.length > 0 && deviceOfLiveRun(run.device) === device)
    .reduce<MeasuredRun | null>((a, b) => (a && a.summary.updated > b.summary.updated ? a : b), null);
  const speed = newest && usualSpeed(newest.steps);
  if (!speed || steps.perEpoch === 0) return null;
  return { seconds: (data.tokens * steps.total) / steps.perEpoch / speed, run: newest.summary.key };
}

interface MeasuredRun {
  summary: Pick<ListedRun, 'key' | 'baseModel' | 'adapter' | 'device' | 'updated'>;
  steps: Pick<StepTable, 'length' | 'width' | 'rows'>;
}

/** The median of the tokens a second of its newest steps: single ones are far off. */
function usualSpeed(steps: MeasuredRun['steps']): number | null {
  const speeds: number[] = [];
  for (const { values } of steps.rows(Math.max(0, steps.length - recentSteps))) {
    for (let row = placeOf('tokensPerSecond'); row < values.length; row += steps.width) {
      if (Number.isFinite(values[row])) speeds.push(values[row] as number);
    }
  }
  return speeds.sort((a, b) => a - b)[speeds.length >> 1] ?? null;
}
