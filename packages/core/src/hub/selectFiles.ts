import { UserError } from '../errors.ts';
import { shellWord } from '../shellWord.ts';
import { NAMED_FOLDER } from '../templates/chatTemplates.ts';
import { SourceError } from './sourceError.ts';

const METADATA = /\.(json|txt|jinja)$|^tokenizer\.model$/;
/** A file system allows 255 bytes, of which a download adds some. */
const PLAIN_NAME = /^[A-Za-z0-9_][\w.+-]{0,199}$/;

/** The one folder below the top whose files are fetched: named chat templates. */
export const TEMPLATE_FOLDER = NAMED_FOLDER;

/** Ours, in the folder of each model and data set that was pulled: no file of a hub takes its place. */
export const PROVENANCE_FILE = 'provenance.json';

/** In any case of its letters, which not every disk tells apart. */
export function isProvenance(path: string): boolean {
  return path.toLowerCase() === PROVENANCE_FILE;
}

/** Whether a file of a pulled model may have this path, with `/` between folder and name. */
export function isModelPath(path: string): boolean {
  if (isProvenance(path)) return false;
  const folder = `${TEMPLATE_FOLDER}/`;
  const name = path.startsWith(folder) && path.endsWith('.jinja') ? path.slice(folder.length) : path;
  return PLAIN_NAME.test(name);
}

/**
 * Which files of a model repository are fetched: safetensors (or the GGUF file asked for) with configuration,
 * tokenizer and templates. Only the top folder and `additional_chat_templates/`, only plain names: a listing can neither
 * bring pickled files nor write outside the model's folder.
 * @throws UserError when there is nothing to read, SourceError when the list is incomplete
 */
export function selectFiles(repository: string, listed: readonly string[], wantedFile?: string): string[] {
  const files = [...new Set(listed)].filter(isModelPath);
  const metadata = files.filter((path) => METADATA.test(path));
  if (wantedFile) {
    if (files.includes(wantedFile)) return [wantedFile];
    throw new UserError({
      what: `${repository} has no file ${wantedFile}`,
      where: repository,
      next: `its model files are: ${files.filter((path) => /\.(safetensors|gguf)$/.test(path)).join(', ') || 'none'}`,
      code: 'model_file_not_found',
    });
  }
  const weights = selectSafetensors(files);
  if (weights.length > 0) return [...metadata, ...weights];
  const gguf = files.filter((path) => path.endsWith('.gguf'));
  if (gguf.length === 1) return gguf;
  throw gguf.length > 1 ? severalGguf(repository, gguf) : noWeights(repository, files);
}

/** Repositories often hold the same weights twice: as Hugging Face names them and as the maker's `consolidated` file. */
function selectSafetensors(files: readonly string[]): string[] {
  const all = files.filter((path) => path.endsWith('.safetensors'));
  if (all.includes('model.safetensors')) return ['model.safetensors'];
  const shards = all.filter((path) => /^model-\d+-of-\d+\.safetensors$/.test(path));
  if (shards.length > 0) requireEveryShard(shards);
  return shards.length > 0 ? shards : all;
}

/** A list that was cut short would make a model with layers missing. */
function requireEveryShard(shards: readonly string[]): void {
  const announced = Number(/-of-(\d+)\./.exec(shards[0] ?? '')?.[1]);
  const numbers = new Set(shards.map((path) => Number(/^model-(\d+)-of-/.exec(path)?.[1])));
  if (numbers.size === announced) return;
  throw new SourceError(`its list of files is incomplete: ${numbers.size} of ${announced} safetensors files`);
}

function severalGguf(repository: string, gguf: readonly string[]): UserError {
  return new UserError({
    what: `${repository} holds ${gguf.length} GGUF files, and no safetensors`,
    where: repository,
    next: `name one, for instance: anneal pull ${shellWord(`${repository}/${gguf[0]}`)}`,
    code: 'several_gguf_files',
  });
}

function noWeights(repository: string, files: readonly string[]): UserError {
  const pickled = files.find((path) => /\.(bin|pt|pth|ckpt|msgpack|h5)$/.test(path));
  return pickled
    ? new UserError({
        what: `${repository} has its weights only in ${pickled}, a format that can run code when it is opened`,
        where: repository,
        next: 'look for a repository of the same model with .safetensors or .gguf files',
        code: 'pickled_weights',
      })
    : new UserError({
        what: `${repository} has no .safetensors and no .gguf file`,
        where: repository,
        next: 'check the name: this repository holds no weights that Anneal can read',
        code: 'model_without_weights',
      });
}
