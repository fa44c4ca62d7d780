/** What a recipe names, looked at before anything is started: its model and its rows. */
import { checkRows } from '@anneal/core/datasets/checkRows';
import { UserError } from '@anneal/core/errors';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { openModel } from '@anneal/core/models/open';
import type { Warning } from '@anneal/core/protocol/events';
import type { PullRequest } from '@anneal/core/protocol/models';
import type { MissingSource } from '@anneal/core/protocol/recipes';
import type { KeyPath, RecipeProblem } from '@anneal/core/recipe/problem';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import type { ResolvedDataset } from '@anneal/core/recipe/resolveDataset';
import { openRewardModel } from '@anneal/core/rewards/openRewardModel';
import { dataOptions } from '@anneal/core/trainer/dataOptions';
import { modelJob } from '@anneal/core/trainer/job';
import { headedFor, jobOnModel } from '@anneal/core/trainer/jobOnModel';
import { modelWarnings } from '@anneal/core/trainer/modelWarnings';
import { readPeftAdapter } from '@anneal/formats/peft/read';
import type { OpenedRecipe } from './open.ts';

export interface SourceCheck {
  problems: RecipeProblem[];
  /** What `train` would warn of, as far as the model alone tells. */
  warnings: Warning[];
  /** What has to be pulled first, which is no mistake of the recipe. */
  pull: MissingSource | null;
}

const notPulled: Readonly<Record<string, MissingSource['of']>> = {
  model_not_pulled: 'model',
  dataset_not_pulled: 'data',
};

export async function checkSources({ resolved, locate }: OpenedRecipe): Promise<SourceCheck> {
  const found: SourceCheck = { problems: [], warnings: [], pull: null };
  const problem = (path: KeyPath, { what, where, next = '', code }: UserError) => {
    const place = locate(path);
    const told = where === undefined || where === place.where ? what : `${what} (${where})`;
    found.problems.push({ path, code, what: told, next, ...place });
  };
  const attempt = async (
    path: KeyPath,
    request: PullRequest,
    look: () => unknown,
    placeOf: (error: UserError) => KeyPath = () => path,
  ) => {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const of = notPulled[error.code];
      if (of) found.pull ??= { of, name: request.model, how: error.next ?? '', request };
      else problem(placeOf(error), error);
    }
  };
  const revision = resolved.revision ?? undefined;
  const base = { model: resolved.base_model, revision };
  const lookAtModel = () => {
    const model = openModel(resolveModelPath(resolved.base_model, { revision }));
    try {
      found.warnings = modelWarnings(model);
      // What that adapter is on says its file, which may be large.
      if (resolved.lora_model_dir !== null) return;
      const job = modelJob(resolved);
      jobOnModel(job, headedFor(job, model), null);
    } finally {
      model.close();
    }
  };
  await attempt(['base_model'], base, lookAtModel, ({ what }) => [keyNamed(what, resolved) ?? 'base_model']);
  const adapter = resolved.lora_model_dir;
  if (adapter !== null)
    await attempt(['lora_model_dir'], { model: adapter }, () => readPeftAdapter(adapter).tensors.close());
  for (const [i, reward] of (resolved.trl?.reward_funcs ?? []).entries()) {
    if (typeof reward === 'string' || reward.type !== 'reward_model') continue;
    await attempt(['trl', 'reward_funcs', i], { model: reward.model }, async () => {
      const judge = { name: reward.type, type: reward.type, path: reward.model, quantization: 'none' as const };
      (await openRewardModel(judge)).model.close();
    });
  }
  for (const list of ['datasets', 'test_datasets'] as const) {
    for (const [i, dataset] of (resolved[list] ?? []).entries()) {
      await attempt([list, i], pullOf(dataset), async () => {
        const { prepare } = dataOptions({ ...resolved, datasets: [dataset], test_datasets: null });
        for (const input of prepare.datasets) await checkRows(input, prepare.answers ?? null);
      });
    }
  }
  return found;
}

/** The first of the recipe's keys that a message names. */
function keyNamed(message: string, recipe: ResolvedRecipe): string | undefined {
  return message.match(/\w+/g)?.find((word) => Object.hasOwn(recipe, word));
}

function pullOf({ path, revision, name, split, data_files: files }: ResolvedDataset): PullRequest {
  return {
    model: path,
    revision: revision ?? undefined,
    data: { name: name ?? undefined, split: split ?? undefined, files: files ?? undefined },
  };
}
