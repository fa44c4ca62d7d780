import { readdirSync, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { UserError } from './errors.ts';

/** What torch.save writes: a pickle, alone or in a zip archive. */
const PICKLE_EXTENSIONS = new Set(['.bin', '.pt', '.pth', '.ckpt', '.pkl', '.pickle']);
const SAFE_EXTENSIONS = new Set(['.safetensors', '.gguf']);

/**
 * Refuses a checkpoint that exists only as pickle: unpickling runs whatever code the file names, so this program has no
 * reader for it. A path that does not exist passes: opening it says so better.
 * @param path a file, or a folder that is expected to hold a checkpoint
 * @throws UserError `pickle_checkpoint`
 */
export function refusePickle(path: string): void {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isFile() && isPickle(path)) throw refusal(path, basename(path));
  if (status?.isDirectory()) {
    const names = readdirSync(path);
    const pickle = names.find(isPickle);
    if (pickle !== undefined && !names.some((name) => SAFE_EXTENSIONS.has(extname(name)))) throw refusal(path, pickle);
  }
}

function isPickle(name: string): boolean {
  return PICKLE_EXTENSIONS.has(extname(name).toLowerCase());
}

function refusal(where: string, name: string): UserError {
  return new UserError({
    what: `${name} is a pickle: loading it can execute code that it carries, so Anneal does not read such files`,
    where,
    next:
      'look for a safetensors revision of the model (the Hub offers one for most), or convert it where you trust the file: ' +
      'AutoModelForCausalLM.from_pretrained(folder).save_pretrained(new_folder, safe_serialization=True)',
    code: 'pickle_checkpoint',
  });
}
