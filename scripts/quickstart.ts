/**
 * `npm run quickstart`: one model fine-tuned from beginning to end, by the same commands that one types.
 * `npm run quickstart -- --model smollm2-135m` takes a model that has to be downloaded in the starter's place.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { styleText } from 'node:util';
import { optional, readArguments } from '../bench/arguments.ts';

const root = join(import.meta.dirname, '..');
const anneal = join(root, 'apps', 'agent', 'bin', 'anneal.mjs');
const prompt = 'Who are you?';
/** Always the likeliest token, so that a difference comes from training and not from chance. */
const asking = ['--prompt', prompt, '--temperature', '0', '--max-tokens', '60'];

/** What a model of this size learns in about a minute; its recipe as it stands takes several. */
const shortRun = ['max_steps=40', 'learning_rate=1.5e-3', 'warmup_ratio=0.1'].flatMap((setting) => ['--set', setting]);

const { values } = readArguments({
  command: 'npm run quickstart --',
  about: 'Tunes one model from beginning to end: the one that came along, or another.',
  options: { model: optional },
});
const { model } = values;
const start = performance.now();
const folder = newFolder(model === undefined ? 'quickstart' : `quickstart-${model.replace(/\W+/g, '-')}`);

chapter('What this machine has');
run(root, 'doctor');

chapter(
  model === undefined ? 'A model that came along, rows made for it, and a recipe' : `${model}, and rows to tune it`,
);
if (model !== undefined) run(root, 'pull', model);
run(root, 'init', relative(root, folder), ...(model === undefined ? [] : ['--model', model]));

const settings = model === undefined ? [] : shortRun;
chapter('The memory that training will take, known before it is taken');
run(folder, 'estimate', 'recipe.yaml', ...settings);

chapter('One row as the model will see it: only what is lit up is trained');
run(folder, 'inspect', 'recipe.yaml', '--row', '1', ...settings);

chapter('Before');
const before = ask(model ?? 'model');

chapter('Training');
run(folder, 'train', 'recipe.yaml', ...settings);

chapter('After');
const after = ask('latest');
if (after === before) stop('the tuned model answers as it did before');

chapter('Exports: the adapter alone, the merged model, and files for llama.cpp and Ollama');
run(folder, 'export', 'latest', '--to', 'export', '--lora', '--merged', '--gguf', 'q8_0,f16', '--ollama');

chapter('The GGUF file, read back');
const gguf = filesBelow(join(folder, 'export')).find((path) => path.endsWith('F16.gguf'));
if (gguf === undefined) stop(`there is no F16 GGUF file in ${folder}/export`);
ask(relative(folder, gguf));

chapter(`Done in ${((performance.now() - start) / 1000).toFixed(0)} seconds. What is where`);
const here = relative(process.cwd(), folder) || '.';
console.log(`  ${here}/recipe.yaml   what was trained and how; change it and train again
  ${here}/data          the rows
  ${here}/runs          the run: every step, checkpoints, samples, hashes of all that went in
  ${here}/export        adapter, merged model, GGUF, Modelfile

Next: ${bold(`cd ${here} && npx anneal chat latest`)}`);

/** Never one that is there already: what is in it may be dear to somebody. */
function newFolder(name: string): string {
  let path = join(root, name);
  for (let count = 2; existsSync(path); count++) path = join(root, `${name}-${count}`);
  return path;
}

/** Shows the command and runs it for the reader to watch. */
function run(cwd: string, ...args: string[]): void {
  showCommand(args);
  const { status } = spawnSync(process.execPath, [anneal, ...args], { cwd, stdio: 'inherit' });
  if (status !== 0) stop(`\`anneal ${args.join(' ')}\` in ${cwd} ended with exit code ${status}`, status ?? 1);
}

/** The answer to the prompt, shown and returned. */
function ask(source: string): string {
  const args = ['chat', source, ...asking];
  showCommand(args);
  const { status, stdout } = spawnSync(process.execPath, [anneal, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) stop(`\`anneal ${args.join(' ')}\` in ${folder} ended with exit code ${status}`, status ?? 1);
  console.log(`${bold(prompt)}\n${styleText('green', stdout.trim())}`);
  return stdout.trim();
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name));
}

function chapter(title: string): void {
  console.log(`\n${styleText(['bold', 'cyan'], `── ${title}`)}`);
}

function showCommand(args: readonly string[]): void {
  console.log(styleText('dim', `$ anneal ${args.map((arg) => (/[\s?]/.test(arg) ? `"${arg}"` : arg)).join(' ')}`));
}

function bold(text: string): string {
  return styleText('bold', text);
}

function stop(what: string, code = 1): never {
  console.error(`\nerror: the quickstart stops here: ${what}`);
  process.exit(code);
}
