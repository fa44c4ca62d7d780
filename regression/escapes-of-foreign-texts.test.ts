/**
 * What a model calls a tool was printed to the letter where its result is asked for, and so was what processes of ours say
 * on stderr and what commander says of arguments; colors in foreign texts passed for ours, black on black among them.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { annealIn, annealPath, type Ended, env } from '../apps/agent/test/helpers/anneal.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';

/** Sets a title, moves the cursor, takes a color that is none of ours, turns the direction, goes back. */
const evil = '\u001b]0;own\u0007\u001b[2J\u001b[35mX\u009b31m\u202ey\u2066\u007f\r\b!';
const own = new RegExp(String.raw`\u001b\[(?:[124]|22|24|3[0-36]|39|42|49|102)m`, 'g');

/** Of what a terminal would obey there is nothing but the colors of ours. */
function expectSafe(name: string, { stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>): void {
  const rest = (stdout + stderr).replace(own, '');
  expect([name, /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069].{0,40}/u.exec(rest)?.[0]]).toEqual([
    name,
    undefined,
  ]);
}

/** A model, rows, a recipe and their names that all hold it. */
function hostileProject(): string {
  const folder = temporaryFolder();
  const model = writeTinyModel(folder);
  const tokenizer = JSON.parse(readFileSync(join(model, 'tokenizer.json'), 'utf8'));
  for (const symbol of '#$%&*+@^~`') {
    tokenizer.model.vocab[`${symbol}${evil}`] = tokenizer.model.vocab[symbol];
    delete tokenizer.model.vocab[symbol];
  }
  const { vocab } = tokenizer.model;
  for (const character of evil) vocab[character] ??= Object.keys(vocab).length;
  writeFileSync(join(model, 'tokenizer.json'), JSON.stringify(tokenizer));
  renameSync(model, join(folder, `model${evil}`));
  const row = (index: number) => ({
    messages: [
      { role: 'user', content: `What is ${index}? ${evil}` },
      { role: 'assistant', content: `It is ${index}` },
    ],
    [`column ${evil}`]: evil,
  });
  const rows = Array.from({ length: 24 }, (_, index) => JSON.stringify(row(index)));
  writeFileSync(join(folder, `rows${evil}.jsonl`), [...rows, '{}', `{"messages": "${'x'.repeat(9)}"}`].join('\n'));
  writeFileSync(join(folder, 'strange.jsonl'), `${JSON.stringify({ [evil]: 1, b: 2 })}\n`.repeat(3));
  writeFileSync(join(folder, 'broken.jsonl'), `{"messages": ${evil}\n`);
  writeFileSync(join(folder, 'table.csv'), `${evil},b\n"1","2\n`);
  writeFileSync(join(folder, 'raises.jinja'), `{{ raise_exception(${JSON.stringify(evil)}) }}`);
  writeFileSync(join(folder, 'syntax.jinja'), `{% ${evil} %}`);
  const recipe = {
    base_model: `./model${evil}`,
    datasets: [{ path: `rows${evil}.jsonl` }],
    sequence_len: 128,
    max_steps: 1,
    val_set_size: 0.1,
    sample_prompts: [`Who? ${evil}`],
    sample_max_tokens: 30,
  };
  const variants = {
    recipe,
    [`named ${evil}`]: recipe,
    key: { ...recipe, [`key ${evil}`]: 1 },
    value: { ...recipe, adapter: evil },
    strange: { ...recipe, datasets: [{ path: 'strange.jsonl' }] },
    broken: { ...recipe, datasets: [{ path: 'broken.jsonl' }] },
    table: { ...recipe, datasets: [{ path: 'table.csv' }] },
    template: { ...recipe, chat_template: 'raises.jinja' },
    syntax: { ...recipe, chat_template: 'syntax.jinja' },
    missing: { ...recipe, base_model: `owner/${evil}` },
    folder: { ...recipe, output_dir: `recipe.yaml/${evil}` },
  };
  for (const [name, value] of Object.entries(variants))
    writeFileSync(join(folder, `${name}.yaml`), JSON.stringify(value));
  writeFileSync(join(folder, 'text.yaml'), `base_model: [${evil}\n`);
  return folder;
}

test('no verb prints what a terminal would obey', async () => {
  const folder = hostileProject();
  const anneal = annealIn(folder, { FORCE_COLOR: '1', ANNEAL_CACHE: join(folder, 'cache'), XDG_DATA_HOME: folder });
  const look = async (...args: string[]) => {
    const ended = await anneal(...args);
    expectSafe(args.join(' '), ended);
    return ended;
  };
  const trained = await look('train', `named ${evil}.yaml`);
  expect(trained).toMatchObject({ code: 0, stdout: expect.stringContaining('\u001b[3') }); // colors are on
  expect(trained.stdout).toContain('␛]0;own␇');
  const [run = ''] = globSync('runs/*/status.json', { cwd: folder }).map((path) => path.split('/')[1]);
  writeFileSync(join(folder, 'runs', run, 'run.log'), `${evil}\n`);
  for (const recipe of globSync('*.yaml', { cwd: folder })) {
    for (const verb of ['validate', 'estimate']) await look(verb, recipe);
  }
  for (const args of [
    ['inspect', 'recipe.yaml', '--row', '1', '--ids'],
    ['inspect', 'recipe.yaml', '--json'],
    ['inspect', 'recipe.yaml', '--batches', '1'],
    ['train', 'recipe.yaml', '--dry-run'],
    ['runs', 'tag', run, evil],
    ['runs', 'note', run, evil],
    ['runs', 'ls'],
    ['runs', 'ls', '--json'],
    ['runs', 'show', run],
    ['runs', 'show', evil],
    ['runs', 'logs', run],
    ['runs', 'logs', run, '--output'],
    ['runs', 'logs', run, '--output', '--search', 'own'],
    ['runs', 'batch', run, '1'],
    ['runs', 'compare', run, run],
    ['runs', 'resume', run],
    ['doctor'],
    ['doctor', run],
    ['eval', run],
    ['chat', `model${evil}`, '--prompt', '-', '--json'],
    ['chat', run, '--prompt', evil, '--json'],
    ['chat', `nothing${evil}`, '--prompt', 'x'],
    ['export', run, '--merged', 'bf16', '--gguf', 'q8_0', '--ollama', '--to', `out${evil}`],
    ['exports', 'ls', run],
    ['export', run, '--lora', evil],
    ['exports', 'ls'],
    ['models', 'ls', '.'],
    ['models', 'check', `model${evil}`],
    ['verify', `model${evil}`, `nothing${evil}`],
    ['init', `p${evil}`, '--from', 'key.yaml'],
    ['init', `q${evil}`, '--model', `model${evil}`, '--data', `rows${evil}.jsonl`],
    ['synthesize', 'recipe.yaml'],
    ['edit', `rows${evil}.jsonl`, '1'],
    ['storage', 'ls'],
    ['queue', 'ls'],
    [evil],
    ['train', `--${evil}`],
    ['train', 'recipe.yaml', evil, evil],
    ['train', 'recipe.yaml', '--set', `${evil}=1`],
    ['reproduce', run],
    ['runs', 'rm', run],
    ['runs', 'restore'],
  ]) {
    await look(...args);
  }
}, 300_000);

test('what a server says is printed safely', async () => {
  const folder = temporaryFolder();
  const server = createServer((request, response) => {
    const rpc = [
      {
        error: {
          message: evil,
          code: -32600,
          data: { code: evil, httpStatus: 400, userError: { what: evil, where: evil, next: evil } },
        },
      },
    ];
    response.writeHead(request.url?.includes('big') ? 200 : 400, { 'content-type': 'application/json' });
    response.end(JSON.stringify(request.url?.includes('api') ? rpc : { error: evil, message: evil }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const anneal = annealIn(folder, {
    FORCE_COLOR: '1',
    ANNEAL_CACHE: join(folder, 'cache'),
    XDG_DATA_HOME: folder,
    HF_ENDPOINT: url,
    HF_TOKEN: '',
    ANNEAL_HOST: url,
    ANNEAL_TOKEN: 'token',
  });
  const synthesis = { endpoint: { url: `${url}/v1`, model: evil }, sources: [{ path: 'docs' }], output: 'rows.jsonl' };
  mkdirSync(join(folder, 'docs'));
  writeFileSync(join(folder, 'docs', 'a.md'), 'A text of some length about a lighthouse and its keeper. '.repeat(8));
  writeFileSync(join(folder, 'questions.yaml'), JSON.stringify(synthesis));
  for (const args of [
    ['pull', 'owner/model'],
    ['pull', '--data', 'owner/rows'],
    ['remote', 'runs', 'ls'],
    ['remote', 'models', 'ls'],
    ['remote', 'runs', 'show', 'x'],
    ['synthesize', 'questions.yaml'],
  ]) {
    expectSafe(args.join(' '), await anneal(...args));
  }
});

test.runIf(existsSync('/usr/bin/script'))('nor does an answer on a terminal', () => {
  const folder = hostileProject();
  renameSync(join(folder, `model${evil}`), join(folder, 'model'));
  const command = `'${process.execPath}' '${annealPath}' chat model --prompt 'Who?' --temperature 3 --max-tokens 200`;
  const options = { cwd: folder, env, encoding: 'utf8', input: '' } as const;
  const stdout = execFileSync('script', ['-qec', command, '/dev/null'], options).replaceAll('\r\n', '\n');
  expect(stdout).toContain('␛]0;own');
  expectSafe('chat', { stdout: stdout.replaceAll('\r\u001b[2K', ''), stderr: '' });
});

test('nobody writes to a terminal but what makes texts safe', () => {
  const agent = join(import.meta.dirname, '..', 'apps', 'agent', 'src');
  const writers = globSync('**/*.ts', { cwd: agent }).filter((file) =>
    /process\.std(out|err)\.write|console\.|terminal\.question\((?!shown|'')|\bstdio: .*inherit/.test(
      readFileSync(join(agent, file), 'utf8'),
    ),
  );
  // The output of runWorker.ts is a file, run.log; what lostOutput.ts says is ours.
  const known = ['program.ts', 'runner/apart.ts', 'runner/runWorker.ts', 'terminal/lostOutput.ts', 'terminal/print.ts'];
  expect(writers.sort()).toEqual(known);
});
