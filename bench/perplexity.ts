/**
 * Every GGUF type in llama.cpp, ours beside its own: `node bench/perplexity.ts NAME --model MODEL --text TEXT.txt --python PYTHON
 * --bins FOLDER [--windows N]`. Both files of a type are made from the same float32 weights, llama.cpp's by its own library, and
 * llama.cpp evaluates both. FOLDER holds libllama (see peers/llama_cpp.py). Writes bench/results/NAME.json.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { exportGguf, ggufFileName } from '@anneal/core/export/gguf';
import { GGUF_TYPES, type GgufType } from '@anneal/core/export/ggufTypes';
import { openModel } from '@anneal/core/models/open';
import { readArguments, required } from './arguments.ts';
import { writeResults } from './results.ts';

const { names, values } = readArguments({
  command: 'node bench/perplexity.ts',
  about: 'Evaluates GGUF files of every type in llama.cpp, ours beside its own; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { model: required, text: required, python: required, bins: required, windows: 8 },
});
const [name] = names as [string];
const { model: path, text, python, bins, windows } = values;

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
const ours = async <T>(type: GgufType, use: (file: string) => T): Promise<T> => {
  const target = join(folder, type);
  await exportGguf(target, { model, adapter: null, types: [type], name: 'ours' });
  const result = use(join(target, ggufFileName('ours', type)));
  if (type !== 'f32') rmSync(target, { recursive: true });
  return result;
};

try {
  const exact = await ours('f32', perplexity);
  console.log(`f32 ${exact.toFixed(4)}`);
  const rows = [];
  for (const type of GGUF_TYPES.filter((each) => each !== 'f32')) {
    const mine = await ours(type, perplexity);
    const peer = join(folder, 'theirs.gguf');
    llamaCpp('quantize', join(folder, 'f32', ggufFileName('ours', 'f32')), peer, type);
    const theirs = perplexity(peer);
    const differs = mine / theirs - 1;
    rows.push({ type, ours: mine, llamaCpp: theirs, differs });
    console.log(`${type.padEnd(7)} ${mine.toFixed(4)} ${theirs.toFixed(4)} ${(100 * differs).toFixed(3)} %`);
  }
  const what = `perplexity in llama.cpp of ${basename(path)} by GGUF type on ${basename(text)}, ${windows} windows of 512 tokens, the second half of each`;
  console.log(writeResults(name, { what, f32: exact, rows }));
} finally {
  model.close();
  rmSync(folder, { recursive: true });
}
