/** What this machine adds to an estimate: what is free on each device, and how fast such a run was. */
import type { Estimate, LiveEstimate } from '@anneal/core/protocol/estimates';
import type { ListedRun } from '@anneal/core/protocol/studio';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import { deviceOfLiveRun, deviceOfRun, hostDevices } from '../../service/host/devices.ts';
import type { Agent } from '../router/trpc.ts';

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
  const time = recipe.trl
    ? null
    : timeOf(
        estimate,
        recipe,
        device,
        runs.map(({ summary }) => summary),
      );
  return { stage: 'estimated', estimate, device, devices, time };
}

/** By the newest run that trains the same in the same place; null where there is none. */
export function timeOf(
  { steps, data }: Pick<Estimate, 'steps' | 'data'>,
  { base_model, adapter }: Pick<ResolvedRecipe, 'base_model' | 'adapter'>,
  device: string,
  runs: readonly Pick<ListedRun, 'key' | 'baseModel' | 'adapter' | 'device' | 'tokensPerSecond' | 'updated'>[],
): OnHost['time'] {
  const [newest] = runs
    .filter((run) => run.baseModel === base_model && run.adapter === adapter)
    .filter((run) => run.tokensPerSecond !== null && deviceOfLiveRun(run.device) === device)
    .sort((a, b) => b.updated.localeCompare(a.updated));
  if (!newest?.tokensPerSecond || steps.perEpoch === 0) return null;
  const tokens = (data.tokens * steps.total) / steps.perEpoch;
  return { seconds: tokens / newest.tokensPerSecond, run: newest.key };
}
