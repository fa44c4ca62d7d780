/** Runs of any length, written as the trainer writes them, without training. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** @returns the key of the run in the workspace */
export function writeFinishedRun(workspace: string, id: string, steps: number): string {
  const run = join(workspace, 'runs', id);
  mkdirSync(run, { recursive: true });
  writeFileSync(
    join(run, 'recipe.resolved.yaml'),
    `base_model: model\ndatasets:\n  - path: rows.jsonl\nlearning_rate: ${1e-4 + steps * 1e-12}\nseed: 1\n`,
  );
  writeFileSync(join(run, 'recipe.yaml'), 'base_model: model\n');
  const file = openSync(join(run, 'events.jsonl'), 'w');
  let seq = 0;
  const began = Date.UTC(2026, 0, 1);
  let text = '';
  const write = (event: object) => {
    seq++;
    text += `${JSON.stringify({ seq, time: new Date(began + 100 * seq).toISOString(), ...event })}\n`;
    if (text.length < 1 << 20) return;
    writeSync(file, text);
    text = '';
  };
  write({ type: 'run_created', version: 1, id, name: id });
  write({ type: 'started', totalSteps: steps });
  for (let step = 1; step <= steps; step++) {
    const noise = ((step * 2654435761) % 1000) / 1000;
    write({
      type: 'step',
      step,
      epoch: (3 * step) / steps,
      loss: step === Math.floor(steps / 3) ? 99 : 3 * Math.exp((-3 * step) / steps) + 0.3 * noise,
      gradNorm: 0.5 + noise,
      learningRate: 2e-4 * (1 - step / steps),
      tokens: 2048 - (step % 64),
      targetTokens: 900 + (step % 300),
      tokensPerSecond: 20_000 + 1000 * noise,
      milliseconds: 95 + 10 * noise,
      memory: 2_000_000_000 + 4096 * (step % 1000),
    });
    if (step % Math.ceil(steps / 100) === 0) write({ type: 'checkpoint', step, path: `checkpoints/step-${step}` });
  }
  write({ type: 'finished', step: steps, loss: 0.2 });
  writeSync(file, text);
  closeSync(file);
  return `runs/${id}`;
}
