import { variantOf } from '@anneal/core/protocol/chatTerms';
import type { Chattable } from '@anneal/core/protocol/chattable';

export interface ShownModel {
  /** Undefined for one that is no longer there. */
  model: Chattable | undefined;
  /** null: as the run would be used, the best or the newest checkpoint. */
  variant: string | null;
}

export function modelOf(id: string, models: readonly Chattable[]): ShownModel {
  const same = models.find((model) => model.id === id);
  if (same) return { model: same, variant: null };
  const { model: key, variant } = variantOf(id);
  return { model: models.find((model) => model.id === key), variant };
}

/** The newest run beside what it began with, where there is one. */
export function usualModels(models: readonly Chattable[]): string[] {
  const [first] = models;
  if (!first) return [];
  return first.hasBase ? [first.id, `${first.id}@base`] : [first.id];
}

/** What a further column is likely for: what the run began with, else another checkpoint, else another model. */
export function nextModel(chosen: readonly string[], models: readonly Chattable[]): string {
  const runs = chosen.map((id) => modelOf(id, models).model).filter((model) => model?.kind === 'run');
  const candidates = [
    ...runs.flatMap((run) => (run?.hasBase ? [`${run.id}@base`] : [])),
    ...runs.flatMap((run) => (run?.checkpoints ?? []).map((step) => `${run?.id}@${step}`)),
    ...models.map(({ id }) => id),
  ];
  return candidates.find((id) => !chosen.includes(id)) ?? (chosen[0] as string);
}
