/**
 * Writes a run the way the trainer does, as fast as it can, until it is killed: `node writeRun.ts <run> <steps>`.
 * Continues from the newest checkpoint; ends with `finished`.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunDirectory } from '../runDirectory.ts';

const [path = '', steps = ''] = process.argv.slice(2);
const run = await RunDirectory.open(path);
const checkpoint = await run.latestCheckpoint();
const from = checkpoint ? Number(readFileSync(join(checkpoint.path, 'state', 'step'), 'utf8')) : 0;
run.recordStart({ totalSteps: Number(steps), fromStep: from });

for (let step = from + 1; step <= Number(steps); step++) {
  run.record({
    type: 'step',
    step,
    epoch: 0,
    loss: 1 / step,
    gradNorm: 1,
    learningRate: 1e-4,
    tokens: 512,
    targetTokens: 100,
    tokensPerSecond: 1,
    milliseconds: 1,
  });
  if (step % 7 === 0) run.record({ type: 'sample', step, prompt: 'a', text: 'line\nbreak ☃' });
  if (step % 5 === 0)
    await run.saveCheckpoint(step, async (folder) => writeState(folder, step), {
      metric: Math.abs(step - 20),
      limit: 2,
    });
}
run.record({ type: 'finished', step: Number(steps), loss: 0 });
await run.close();

function writeState(folder: string, step: number): void {
  const bytes = Buffer.alloc(20_000, step % 251);
  writeFileSync(join(folder, 'weights'), bytes);
  mkdirSync(join(folder, 'state'));
  writeFileSync(join(folder, 'state', 'step'), String(step));
  writeFileSync(join(folder, 'state', 'sha256'), createHash('sha256').update(bytes).digest('hex'));
}
