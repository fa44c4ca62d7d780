import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { shellWord } from '../shellWord.ts';
import { cachedModel, defaultCacheDirectory, modelFolder } from './cache.ts';
import { modelByName } from './catalog.ts';

export interface ResolveOptions {
  /** What a relative path starts from; default: the working directory. */
  baseDirectory?: string | undefined;
  cacheDirectory?: string | undefined;
  revision?: string | undefined;
}

/**
 * What `base_model` names, as an absolute path: a folder or .gguf file here, or a model that `anneal pull` fetched.
 * Never asks the network. Throws a UserError that says how to get the model.
 */
export function resolveModelPath(baseModel: string, options: ResolveOptions = {}): string {
  const expanded = /^~(?=$|[/\\])/.test(baseModel) ? join(homedir(), baseModel.slice(1)) : baseModel;
  const path = resolve(options.baseDirectory ?? '.', expanded);
  if (existsSync(path)) return requireModelPath(path);

  const model = modelByName(baseModel);
  if (!model) throw notFound(baseModel, path);
  const cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
  const cached = cachedModel(modelFolder(cacheDirectory, model.entry.id, options.revision, model.file));
  if (cached) return cached;
  const revision = options.revision ? ` --revision ${shellWord(options.revision)}` : '';
  throw new UserError({
    what: `the model ${baseModel} is not here: there is no such folder, and it has not been pulled`,
    where: path,
    next: `fetch it with: anneal pull ${shellWord(baseModel)}${revision}`,
    code: 'model_not_pulled',
  });
}

function requireModelPath(path: string): string {
  if (statSync(path).isDirectory() || path.endsWith('.gguf')) return path;
  throw new UserError({
    what: 'a model is a folder with config.json and .safetensors files, or one .gguf file; this is another kind of file',
    where: path,
    next: /\.(bin|pt|pth|ckpt)$/.test(path)
      ? 'pickled checkpoints can run code when they are opened: look for the same model as .safetensors or .gguf'
      : 'give the folder that holds the file',
    code: 'not_a_model',
  });
}

function notFound(baseModel: string, path: string): UserError {
  return new UserError({
    what: `there is no model folder or .gguf file '${baseModel}'`,
    where: path,
    next: 'check the path, or give a hub id (owner/model) or a short name such as smollm2-135m',
    code: 'model_not_found',
  });
}
