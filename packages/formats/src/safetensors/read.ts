import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { refusePickle } from '../checkpointGuard.ts';
import { UserError } from '../errors.ts';
import { RandomAccessFile } from '../files/randomAccess.ts';
import { LIMITS } from '../limits.ts';
import type { FilePlace, RowRange, TensorSource } from '../tensor.ts';
import { decodeFloat32, findTensor, readRows } from '../tensorAccess.ts';
import type { SafetensorsInfo } from './header.ts';
import { invalid, parseHeader } from './header.ts';
import { readShardIndex } from './shardIndex.ts';

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

/**
 * Opens a checkpoint: a safetensors file, an index of shards, or a folder with either under its Hugging Face name.
 * Reads and checks the headers only.
 * @throws UserError when the files are missing, malformed, or contradict each other
 */
export function openSafetensors(path: string): SafetensorsSource {
  refusePickle(path);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    const found = [SINGLE_FILE, INDEX_FILE].map((name) => join(path, name)).find((file) => existsSync(file));
    if (found === undefined) {
      throw new UserError({
        what: `the folder has neither ${SINGLE_FILE} nor ${INDEX_FILE}`,
        where: path,
        next: 'give a folder in the Hugging Face layout, or the path of a safetensors file',
        code: 'no_safetensors',
      });
    }
    return openSafetensors(found);
  }
  return path.endsWith('.index.json') ? openShards(path) : new SafetensorsSource(path, [openFile(path)]);
}

interface OpenFile {
  readonly file: RandomAccessFile;
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
  readonly metadata: Readonly<Record<string, string>>;
}

export class SafetensorsSource implements TensorSource {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
  /** `__metadata__` of the file; of the first shard that has any, where there are several. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #files: readonly OpenFile[];
  readonly #fileOf = new Map<string, RandomAccessFile>();

  constructor(path: string, files: readonly OpenFile[]) {
    this.path = path;
    this.#files = files;
    const tensors = new Map<string, SafetensorsInfo>();
    for (const { file, tensors: own } of files) {
      for (const [name, info] of own) {
        tensors.set(name, info);
        this.#fileOf.set(name, file);
      }
    }
    this.tensors = tensors;
    this.metadata = files.find(({ metadata }) => Object.keys(metadata).length > 0)?.metadata ?? {};
  }

  bytes(name: string, rows?: RowRange): Uint8Array<ArrayBuffer> {
    const info = findTensor(this.tensors, name, this.path);
    return readRows(this.#fileOf.get(name) as RandomAccessFile, info, rows);
  }

  float32(name: string, rows?: RowRange): Float32Array {
    const { dtype } = findTensor(this.tensors, name, this.path);
    return decodeFloat32(this.bytes(name, rows), dtype, `${this.path}: tensor ${JSON.stringify(name)}`);
  }

  place(name: string): FilePlace {
    const { position } = findTensor(this.tensors, name, this.path);
    return { descriptor: (this.#fileOf.get(name) as RandomAccessFile).descriptor, position };
  }

  close(): void {
    for (const { file } of this.#files) file.close();
  }
}

function openFile(path: string): OpenFile {
  const file = new RandomAccessFile(path);
  try {
    if (file.size < 8) throw invalid(`${file.size} bytes are too few for a header`, path);
    const length = new DataView(file.read(0, 8).buffer).getBigUint64(0, true);
    if (length > BigInt(LIMITS.safetensorsHeaderBytes)) {
      throw invalid(`its header would have ${length} bytes, more than ${LIMITS.safetensorsHeaderBytes}`, path);
    }
    const dataStart = 8 + Number(length);
    if (dataStart > file.size) throw invalid(`its header ends at byte ${dataStart}, the file at ${file.size}`, path);
    return { file, ...parseHeader(file.read(8, Number(length)), dataStart, file.size, path) };
  } catch (error) {
    file.close();
    throw error;
  }
}

function openShards(indexPath: string): SafetensorsSource {
  const index = readShardIndex(indexPath);
  const files: OpenFile[] = [];
  try {
    for (const [shard, names] of index) {
      const path = join(dirname(indexPath), shard);
      if (!existsSync(path)) {
        throw new UserError({
          what: `the index names ${shard}, which is not there`,
          where: indexPath,
          next: 'download the missing shard into the same folder',
          code: 'shard_missing',
        });
      }
      const file = openFile(path);
      files.push(file);
      checkShard(file, names, indexPath);
    }
  } catch (error) {
    for (const { file } of files) file.close();
    throw error;
  }
  return new SafetensorsSource(indexPath, files);
}

/** A shard must hold exactly what the index says, or the two come from different checkpoints. */
function checkShard({ file, tensors }: OpenFile, names: ReadonlySet<string>, indexPath: string): void {
  const missing = [...names].find((name) => !tensors.has(name));
  const extra = [...tensors.keys()].find((name) => !names.has(name));
  if (missing === undefined && extra === undefined) return;
  const difference =
    missing === undefined
      ? `it holds ${JSON.stringify(extra)}, which the index does not give to it`
      : `the index says that it holds ${JSON.stringify(missing)}, but it does not`;
  throw new UserError({
    what: `shard and index do not belong together: ${difference}`,
    where: `${file.path} and ${indexPath}`,
    next: 'download the index and all shards of one revision again',
    code: 'shard_index_mismatch',
  });
}
