/**
 * Every GGUF type in llama.cpp, ours beside its own: `node bench/perplexity.ts NAME --model MODEL --text TEXT.txt --python PYTHON
 * --bins FOLDER [--windows N] [--types TYPE,…] [--imatrix FILE.gguf]`. Both files of a type are made from the same float32 weights, llama.cpp's by its own library, and
 * llama.cpp evaluates both. With an importance matrix there is a third, ours by it. IQ3_XXS is ours alone: llama.cpp makes none
 * without such a matrix. FOLDER holds libllama (see peers/llama_cpp.py). Writes bench/results/NAME.json.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { exportGguf, ggufFileName } from '@anneal/core/export/gguf';
import { GGUF_TYPES, type GgufType, takesImportance } from '@anneal/core/export/ggufTypes';
import { openModel } from '@anneal/core/models/open';
import { type Imatrix, readImatrix } from '@anneal/formats/gguf/imatrix';
import { optional, readArguments, required } from './arguments.ts';
import { writeResults } from './results.ts';

const { names, values } = readArguments({
  command: 'node bench/perplexity.ts',
  about: 'Evaluates GGUF files of every type in llama.cpp, ours beside its own; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: {
    model: required,
    text: required,
    python: required,
    bins: required,
    windows: 8,
    types: optional,
    imatrix: optional,
  },
});
const [name] = names as [string];
const { model: path, text, python, bins, windows } = values;

const types: readonly string[] = values.types?.split(',') ?? GGUF_TYPES;
const imatrix = values.imatrix ? readImatrix(values.imatrix) : null;

const folder = mkdtempSync(join(tmpdir(), 'anneal-perplexity-'));
const llamaCpp = (...wanted: string[]): string =>
  execFileSync(python, [join(import.meta.dirname, 'peers/llama_cpp.py'), bins, ...wanted], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1e9,
  });
const perplexity = (file: string): number => Number(llamaCpp('perplexity', file, text, String(windows)));
const model = openModel(path);
/** Our file of a type, for as long as `use` looks at it. */
const ours = async <T>(type: GgufType, use: (file: string) => T, by: Imatrix | null = null): Promise<T> => {
  const target = join(folder, type);
  await exportGguf(target, { model, adapter: null, types: [type], name: 'ours', imatrix: by });
  const result = use(join(target, ggufFileName('ours', type)));
  if (type !== 'f32') rmSync(target, { recursive: true });
  return result;
};

const theirPerplexity = (type: GgufType): number => {
  const peer = join(folder, 'theirs.gguf');
  llamaCpp('quantize', join(folder, 'f32', ggufFileName('ours', 'f32')), peer, type);
  return perplexity(peer);
};

try {
  const exact = await ours('f32', perplexity);
  console.log(`f32 ${exact.toFixed(4)}`);
  const rows = [];
  for (const type of GGUF_TYPES.filter((each) => each !== 'f32' && types.includes(each))) {
    const mine = await ours(type, perplexity);
    const byImportance = imatrix && takesImportance(type) ? await ours(type, perplexity, imatrix) : null;
    const theirs = type === 'iq3_xxs' ? null : theirPerplexity(type);
    const differs = theirs && mine / theirs - 1;
    rows.push({ type, ours: mine, byImportance, llamaCpp: theirs, differs });
    const shown = [mine, byImportance, theirs].map((each) => each?.toFixed(4) ?? '–');
    console.log(`${type.padEnd(7)} ${shown.join(' ')} ${differs === null ? '' : `${(100 * differs).toFixed(3)} %`}`);
  }
  const what = `perplexity in llama.cpp of ${basename(path)} by GGUF type on ${basename(text)}, ${windows} windows of 512 tokens, the second half of each`;
  console.log(writeResults(name, { what, f32: exact, rows }));
} finally {
  model.close();
  rmSync(folder, { recursive: true });
}
