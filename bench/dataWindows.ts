/**
 * How fast the studio reads a large data file: `node bench/dataWindows.ts NAME [--rows 10000000] [--windows 300]`. Writes rows of chat to a
 * temporary folder, opens them as the agent does, in a process of their own, and asks for windows of 100 rows all over the file.
 * Writes bench/results/NAME.json.
 */
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openApart } from '../apps/agent/src/runner/openApart.ts';
import { finish } from '../apps/agent/src/service/finish.ts';
import { starterFolder } from '../apps/agent/src/service/starterFolder.ts';
import { readArguments } from './arguments.ts';
import { writeResults } from './results.ts';

const { names, values } = readArguments({
  command: 'node bench/dataWindows.ts',
  about: 'Measures windows of rows of a large file; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { rows: 10_000_000, windows: 300 },
});
const [name] = names as [string];
const { rows, windows } = values;
const windowRows = 100;

const folder = mkdtempSync(join(tmpdir(), 'anneal-windows-'));
try {
  const path = join(folder, 'rows.jsonl');
  await pipeline(Readable.from(lines()), createWriteStream(path));
  const { size } = statSync(path);
  const data = await finish(openApart('data', {}, { source: path, model: join(starterFolder, 'model') }));
  const began = performance.now();
  await finish(data.call('rows', { offset: 0, limit: 1 }));
  const indexSeconds = (performance.now() - began) / 1000;
  const milliseconds: number[] = [];
  for (let i = 0; i < windows; i++) {
    const offset = Math.floor(((i * 0.618) % 1) * (rows - windowRows));
    const asked = performance.now();
    await finish(data.call('rows', { offset, limit: windowRows }));
    milliseconds.push(performance.now() - asked);
  }
  await data.close();
  milliseconds.sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(10 * (milliseconds[Math.floor(share * (windows - 1))] as number)) / 10;
  const measured = {
    suite: 'data-windows',
    rows,
    gigabytes: Math.round(size / 1e7) / 100,
    indexSeconds: Math.round(100 * indexSeconds) / 100,
    /** Tokenized as they are asked for: their verdicts were not known. */
    windowMilliseconds: { rows: windowRows, windows, median: at(0.5), p95: at(0.95), max: at(1) },
  };
  console.log(JSON.stringify(measured, null, 2));
  console.log(writeResults(name, measured));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** About 500 bytes a row, a megabyte at a time. */
function* lines(): Generator<string> {
  const answer = 'The tide comes in at six and goes out at noon, and the boats go with it. '.repeat(5);
  let chunk = '';
  for (let row = 0; row < rows; row++) {
    const messages = [
      { role: 'user', content: `What of the tide on day ${row} of the year?` },
      { role: 'assistant', content: `Day ${row}. ${answer}` },
    ];
    chunk += `${JSON.stringify({ messages })}\n`;
    if (chunk.length < 1 << 20) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}
