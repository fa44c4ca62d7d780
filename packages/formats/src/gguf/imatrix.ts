import { UserError } from '../errors.ts';
import { metadataNumber, metadataString, metadataStrings } from './metadata.ts';
import { openGguf } from './read.ts';
import { type GgufTensorToWrite, writeGguf } from './write.ts';

/** What one tensor of a GGUF file was multiplied with: of each column the sum of squares, for each of its matrices. */
export interface ImatrixEntry {
  /** Those of the matrices one behind the other. */
  readonly sums: Float32Array;
  /** Of each matrix the tokens that were summed: one, or one for each expert. */
  readonly counts: Float32Array;
}

/** An importance matrix as llama.cpp's `llama-imatrix` keeps it. */
export interface Imatrix {
  /** By the names of tensors in GGUF files. */
  readonly entries: ReadonlyMap<string, ImatrixEntry>;
  /** Where the texts came from. */
  readonly datasets: readonly string[];
  /** Texts were read in so many pieces of so many tokens. */
  readonly chunks: number;
  readonly chunkTokens: number;
}

const SUMS = '.in_sum2';
const COUNTS = '.counts';

/** Writes what `llama-quantize --imatrix` reads. */
export function writeImatrix(path: string, { entries, datasets, chunks, chunkTokens }: Imatrix): Promise<void> {
  const tensors = [...entries].flatMap(([name, { sums, counts }]): GgufTensorToWrite[] => {
    const matrices = counts.length;
    return [
      { name: name + SUMS, shape: [matrices, sums.length / matrices], type: 'F32', bytes: () => bytesOf(sums) },
      { name: name + COUNTS, shape: [matrices, 1], type: 'F32', bytes: () => bytesOf(counts) },
    ];
  });
  const metadata = new Map([
    ['general.type', { type: 'string', value: 'imatrix' }],
    ['imatrix.datasets', { type: 'array', items: 'string', value: datasets }],
    ['imatrix.chunk_count', { type: 'uint32', value: chunks }],
    ['imatrix.chunk_size', { type: 'uint32', value: chunkTokens }],
  ] as const);
  return writeGguf(path, metadata, tensors);
}

/**
 * Reads such a file, whoever wrote it.
 * @throws UserError where it is none, sums and counts do not belong together, or a sum is negative or not finite
 */
export function readImatrix(path: string): Imatrix {
  const file = openGguf(path);
  try {
    const { metadata, tensors } = file;
    const names = [...tensors.keys()].filter((name) => name.endsWith(SUMS)).map((name) => name.slice(0, -SUMS.length));
    if (names.length === 0) {
      const type = metadataString(metadata, 'general.type', path);
      throw notAn(
        path,
        `this is no importance matrix${type === undefined ? '' : ` but a ${type}`}: it has no sums of squares`,
      );
    }
    return {
      entries: new Map(names.map((name) => [name, readEntry(file, name)])),
      datasets: metadataStrings(metadata, 'imatrix.datasets', path) ?? [],
      chunks: metadataNumber(metadata, 'imatrix.chunk_count', path) ?? 0,
      chunkTokens: metadataNumber(metadata, 'imatrix.chunk_size', path) ?? 0,
    };
  } finally {
    file.close();
  }
}

function readEntry(file: ReturnType<typeof openGguf>, name: string): ImatrixEntry {
  const where = `${file.path}: ${name}`;
  if (!file.tensors.has(name + COUNTS)) throw notAn(where, 'there are sums of squares without the number of tokens');
  for (const part of [name + SUMS, name + COUNTS]) {
    const { dtype } = file.tensors.get(part) ?? {};
    if (dtype !== 'F32') throw notAn(where, `${part} is ${dtype}, and should be F32`);
  }
  const [sums, counts] = [file.float32(name + SUMS), file.float32(name + COUNTS)];
  if (counts.length === 0 || sums.length % counts.length !== 0)
    throw notAn(where, `${sums.length} sums do not belong to ${counts.length} matrices`);
  const bad = [...sums, ...counts].find((value) => !(value >= 0 && Number.isFinite(value)));
  if (bad !== undefined) throw notAn(where, `a sum of squares or a number of tokens is ${bad}`);
  return { sums, counts };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function notAn(where: string, what: string): UserError {
  return new UserError({
    what,
    where,
    next: "make it again with llama.cpp's `llama-imatrix` (in its GGUF format), or leave out the file: a run collects its own",
    code: 'imatrix_invalid',
  });
}
