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
  const devices = hostDevices().map(({ name }) => {
    const gpu = gpus?.find(({ device: seen }) => seen === name);
    return { name, free: name === 'cpu' ? memory.available : gpu ? gpu.memory.total - gpu.memory.used : null };
  });
  const alike = recipe.trl ? undefined : newestAlike(recipe, device, runs);
  // Its list holds no steps.
  const time = alike ? timeOf(estimate, await feeds.get(alike.key)) : null;
  return { stage: 'estimated', estimate, device, devices, time };
}

/** The newest run that trains the same in the same place. */
export function newestAlike(
  { base_model, adapter }: Pick<ResolvedRecipe, 'base_model' | 'adapter'>,
  device: string,
  runs: readonly Pick<MeasuredRun, 'summary'>[],
): MeasuredRun['summary'] | undefined {
  return runs
    .map(({ summary }) => summary)
    .filter((run) => run.baseModel === base_model && run.adapter === adapter && run.step > 0)
    .filter((run) => deviceOfLiveRun(run.device) === device)
    .reduce<MeasuredRun['summary'] | undefined>((a, b) => (a && a.updated > b.updated ? a : b), undefined);
}

/** By the speed of such a run; null where it is too short to say. */
export function timeOf(
  { steps, data }: Pick<Estimate, 'steps' | 'data'>,
  { summary, steps: done }: MeasuredRun,
): OnHost['time'] {
  const speed = usualSpeed(done);
  if (!speed || steps.perEpoch === 0) return null;
  return { seconds: (data.tokens * steps.total) / steps.perEpoch / speed, run: summary.key };
}

interface MeasuredRun {
  summary: Pick<ListedRun, 'key' | 'baseModel' | 'adapter' | 'device' | 'step' | 'updated'>;
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
