/** What a run is made from, as hashes: pinned at its first launch, and looked at again before anything is written at a later one. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { refuseSpecialFile } from '@anneal/formats/files/regularFile';
import { cacheWarning } from '../datasets/cacheWarning.ts';
import { sourcesOf } from '../datasets/chatRenderer.ts';
import type { PrepareOptions } from '../datasets/prepareData.ts';
import { UserError } from '../errors.ts';
import { sha256OfFile } from '../fileHash.ts';
import { defaultCacheDirectory } from '../hub/cache.ts';
import { modelHash } from '../models/hash.ts';
import type { OpenModel } from '../models/open.ts';
import type { OpenRewardModel } from '../rewards/openRewardModel.ts';
import type { RunDirectory } from './runDirectory.ts';
import { type RunHashes, readPinned } from './runHashes.ts';
import type { OpenedInputs, Session } from './session.ts';

/**
 * Reads every byte of model and data again, whatever their times say.
 * @throws UserError `run_inputs_changed`; nothing is written before
 */
export async function checkInputs({ job, model, text, rewardModels }: OpenedInputs, out: RunDirectory): Promise<void> {
  const hashes = {
    model: (await modelHash(model.files)).sha256,
    data: sha256((await dataHashes(job.data.prepare)).join()),
    ...textHashes(text),
    ...(await rewardHashes(job, rewardModels)),
  };
  out.pin(hashes);
}

/** The hashes of a session that is open, for the first launch. A cache of hashes that cannot be written is no reason to end. */
export async function pinInputs(session: Session, out: RunDirectory): Promise<void> {
  const { job, model, text, data } = session;
  const rewardModels = session.rewardModels.map(({ opened }) => opened);
  const cache = join(defaultCacheDirectory(), 'hashes.json');
  const hashed = await modelHash(model.files, cache);
  out.pin({
    model: hashed.sha256,
    data: sha256(data.summary.files.map((file) => file.sha256).join()),
    ...textHashes(text),
    ...(await rewardHashes(job, rewardModels, cache)),
  });
  if (hashed.cacheError) out.record(cacheWarning('hashes of models', hashed.cacheError));
}

/**
 * Before weights of a run are put on its base again: hashes known by size and times are enough, as nothing is trained on it.
 * @throws UserError `run_inputs_changed`
 */
export async function checkModel(run: string, { files, path }: Pick<OpenModel, 'files' | 'path'>): Promise<void> {
  const pinned = readPinned(run);
  if (!pinned) return;
  const { sha256: found } = await modelHash(files, join(defaultCacheDirectory(), 'hashes.json'));
  if (found === pinned.model) return;
  throw new UserError({
    what: 'the model has other bytes than the one this run was trained from, so that its weights do not belong to it',
    where: path,
    next: 'put the earlier files back; a model that was pulled can be pulled again',
    code: 'run_inputs_changed',
  });
}

function textHashes({ renderer, tokenizer }: Session['text']): Pick<RunHashes, 'template' | 'tokenizer'> {
  return { template: sha256(renderer ? sourcesOf(renderer).join('\0') : ''), tokenizer: tokenizer.fingerprint };
}

/** Of what judges answers, its source included; where it lies is no matter, nor how patiently an endpoint is asked. */
async function rewardHashes(
  { rollouts }: Session['job'],
  models: readonly OpenRewardModel[],
  cachePath?: string,
): Promise<Pick<RunHashes, 'rewards'>> {
  if (!rollouts) return {};
  const byModel = new Map<string, object>();
  for (const { reward, files, text } of models) {
    const { sha256: model } = await modelHash(files, cachePath);
    byModel.set(reward.name, { quantization: reward.quantization, model, ...textHashes(text) });
  }
  const functions = rollouts.rewards.map((reward) => {
    if (reward.type === 'typescript') return { name: reward.name, source: reward.source };
    if (reward.type === 'reward_model') return { name: reward.name, ...byModel.get(reward.name) };
    if (reward.type !== 'judge') return reward;
    const { url, model, parameters, sendSeed } = reward.endpoint;
    return { ...reward, endpoint: { url, model, parameters, sendSeed } };
  });
  return { rewards: sha256(JSON.stringify(functions)) };
}

/** In the order in which they are read. */
async function dataHashes({
  datasets,
  validationDatasets = [],
}: Pick<PrepareOptions, 'datasets' | 'validationDatasets'>): Promise<string[]> {
  const hashes: string[] = [];
  for (const path of [...datasets, ...validationDatasets].flatMap(({ files }) => files)) {
    refuseSpecialFile(path);
    hashes.push(await sha256OfFile(path));
  }
  return hashes;
}

function sha256(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}
