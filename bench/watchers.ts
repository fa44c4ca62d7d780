/**
 * Measures many people watching one run: `node bench/watchers.ts NAME [--clients 1000] [--seconds 300] [--alone 30]
 * [--model smollm2-135m-gguf]`. A run trains with one event a step, alone for a while, watched by so many clients of the event stream,
 * one of which does not read, and alone again. A delay is from the time that the trainer writes into a step's event to its arrival at
 * a client. The model has to be there: `npx anneal pull smollm2-135m-gguf`. Writes bench/results/NAME.json; run it on an otherwise
 * idle machine, from a clean commit.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { anneal, BenchAgent, percentiles, round } from './agent.ts';
import { readArguments } from './arguments.ts';
import { writeResults } from './results.ts';
import { Watcher } from './watcher.ts';

const { names, values } = readArguments({
  command: 'node bench/watchers.ts',
  about: 'Measures many clients of one run; writes bench/results/NAME.json.',
  names: ['NAME'],
  options: { clients: 1000, seconds: 300, alone: 30, model: 'smollm2-135m-gguf' },
});
const [name] = names as [string];
const { clients, seconds, alone } = values;
const warmUpSeconds = 10;

const agent = new BenchAgent();
try {
  writeRecipe();
  await agent.start();
  const run = startRun();
  try {
    await measure(run);
  } finally {
    execFileSync(process.execPath, [anneal, 'runs', 'stop', '--now', join(agent.workspace, run)], {
      env: agent.environment,
      stdio: 'ignore',
    });
  }
} finally {
  await agent.remove();
}

/** A short row a step, so that steps are as many a second as the processor makes of them. */
function writeRecipe(): void {
  const rows = Array.from({ length: 2000 }, (_, row) => ({
    messages: [
      { role: 'user', content: `When does boat ${row} leave the harbour?` },
      { role: 'assistant', content: `Boat ${row} leaves with the tide, ${row % 12} hours after noon.` },
    ],
  }));
  writeFileSync(join(agent.workspace, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const recipe = `schema_version: 1
base_model: ${values.model}
adapter: lora
lora_r: 8
lora_target_linear: true
datasets:
  - path: rows.jsonl
    type: auto
sequence_len: 128
micro_batch_size: 1
num_epochs: 100
learning_rate: 1e-4
logging_steps: 1
save_steps: 100000
output_dir: runs
device: cpu
seed: 1
`;
  writeFileSync(join(agent.workspace, 'recipe.yaml'), recipe);
}

/** @returns its key */
function startRun(): string {
  execFileSync(process.execPath, [anneal, 'train', 'recipe.yaml', '--detach'], {
    cwd: agent.workspace,
    env: agent.environment,
    stdio: 'inherit',
  });
  return `runs/${readdirSync(join(agent.workspace, 'runs'))[0]}`;
}

/** The steps on record, each with when its event was written, in milliseconds since 1970. */
function stepsOf(run: string): { at: number; milliseconds: number }[] {
  const steps = [];
  for (const event of readEvents(join(agent.workspace, run, 'events.jsonl'))) {
    if (event.type === 'failed') throw new Error(event.error.what);
    if (event.type === 'step') steps.push({ at: Date.parse(event.time), milliseconds: event.milliseconds });
  }
  return steps;
}

async function measure(run: string): Promise<void> {
  for (let patience = 0; stepsOf(run).length === 0; patience++) {
    if (patience > 120) throw new Error('the run does not begin');
    await wait(1000);
  }
  await wait(1000 * warmUpSeconds);
  const before = await phase(alone);
  const watchers = await Promise.all(Array.from({ length: clients }, () => Watcher.open(agent, run)));
  const [stalled, ...others] = watchers as [Watcher, ...Watcher[]];
  stalled.pause();
  await wait(1000 * Math.min(warmUpSeconds, seconds));
  const memory = { atFirst: agent.memory, atLast: 0 };
  for (const watcher of watchers) watcher.reset();
  const start = { agent: agent.processorSeconds, own: process.cpuUsage() };
  const watched = await phase(seconds);
  const wall = (watched.to - watched.from) / 1000;
  const agentSeconds = agent.processorSeconds - start.agent;
  const own = process.cpuUsage(start.own);
  memory.atLast = agent.memory;
  const delays = others.flatMap((watcher) => watcher.delays);
  const sends = others.reduce((sum, { messages }) => sum + messages, 0);
  const holes = others.filter(({ isWhole }) => !isWhole).length;
  const isCaughtUp = await stalled.catchUp(Math.max(...others.map(({ seq }) => seq)));
  for (const watcher of watchers) watcher.close();
  await wait(2000);
  const after = await phase(alone);

  const steps = stepsOf(run);
  const speedIn = ({ from, to }: { from: number; to: number }) => {
    const inside = steps.filter(({ at }) => at >= from && at <= to);
    return inside.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / inside.length;
  };
  const [first, middle, last] = [before, watched, after].map(speedIn) as [number, number, number];
  const result = {
    what: `${clients} clients of the event stream of a run that trains ${values.model} with one event a step, one of them not reading, for ${seconds} s on loopback`,
    stepMilliseconds: { alone: round(first), watched: round(middle), aloneAgain: round(last) },
    trainingSlowerPercent: round(100 * (middle / ((first + last) / 2) - 1)),
    sendsPerSecond: round(sends / wall),
    delayMilliseconds: percentiles(delays),
    agentCores: round(agentSeconds / wall, 3),
    agentMicrosecondsPerSend: round((1e6 * agentSeconds) / sends),
    generatorCores: round((own.user + own.system) / 1e6 / wall, 3),
    agentMegabytes: { atFirst: round(memory.atFirst / 1e6), atLast: round(memory.atLast / 1e6) },
    clientsWithHoles: holes,
    stalledClient: { wasClosed: stalled.wasClosed, caughtUp: isCaughtUp },
  };
  console.log(JSON.stringify(result, null, 2));
  console.log(writeResults(name as string, result));
}

async function phase(length: number): Promise<{ from: number; to: number }> {
  const from = Date.now();
  await wait(1000 * length);
  return { from, to: Date.now() };
}
