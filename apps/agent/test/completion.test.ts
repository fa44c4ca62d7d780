import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { annealPath, temporaryFolder } from './helpers/anneal.ts';

type Shell = 'bash' | 'zsh' | 'fish';

/** The line before Tab, the folder it is typed in, and the path of the completion script. */
interface Typed {
  line: string;
  folder: string;
  script: string;
}

const offers: Record<Shell, (typed: Typed) => string[]> = { bash, zsh, fish };

const files = ['good.yaml', 'my recipe.yaml'];

describe.each(Object.keys(offers) as Shell[])('where there is %s, it', (shell) => {
  const missing = whyMissing(shell);
  if (missing) console.warn(`skipped: completion in ${shell}: ${missing}`);
  let text: string;
  let folder: string;
  let script: string;

  beforeAll(() => {
    text = execFileSync(process.execPath, [annealPath, 'completion', shell], { encoding: 'utf8' });
  });
  beforeEach(() => {
    folder = temporaryFolder();
    for (const file of files) writeFileSync(join(folder, file), '');
    script = join(temporaryFolder(), '_anneal');
    writeFileSync(script, text);
  });

  test.skipIf(missing).each([
    ['a verb', 'anneal val', ['validate']],
    ['a verb after an option', 'anneal --debug val', ['validate']],
    [
      'a subcommand',
      'anneal runs ',
      [
        'acknowledge',
        'answers',
        'batch',
        'compare',
        'logs',
        'ls',
        'note',
        'restore',
        'resume',
        'rm',
        'save',
        'show',
        'stop',
        'tag',
      ],
    ],
    ['an option', 'anneal runs logs --fo', ['--follow']],
    ['an option after a value', 'anneal train --set a=1 --dry', ['--dry-run']],
    ['one of a fixed list', 'anneal completion z', ['zsh']],
    ['one of the values of an option', 'anneal chat --dtype ', ['bf16', 'f32']],
    ['one of the values after =', 'anneal chat --dtype=b', ['bf16']],
    ['a file', 'anneal validate ', files],
    ['a file as one of several', 'anneal verify one two goo', ['good.yaml']],
    ['a file for an option', 'anneal init --data my', ['my recipe.yaml']],
    ['nothing where a number goes', 'anneal chat --seed ', []],
    ['nothing where nothing follows', 'anneal runs ls g', []],
  ])('offers %s: %s', (_what, line, expected) => {
    expect(offers[shell]({ line, folder, script }).sort()).toEqual(expected);
  });

  if (shell === 'zsh') {
    test.skipIf(missing)('is found through fpath', () => {
      expect(pressTabInZsh(['', 'anneal val', dirname(script)], folder)).toEqual(['validate']);
    });
  }
});

function whyMissing(shell: Shell): string | undefined {
  // Where even bash is missing, its tests are to fail.
  if (shell === 'bash') return undefined;
  try {
    execFileSync(shell, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Readline's part is played here: it takes the line apart, at = too. */
function bash({ line, folder, script }: Typed): string[] {
  const words = line.split(/ +|(=)/).filter((word) => word !== undefined);
  const call = `source "$0"
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _anneal; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf(execFileSync('bash', ['-c', call, script, ...words], { cwd: folder, encoding: 'utf8' }));
}

function zsh({ line, folder, script }: Typed): string[] {
  return pressTabInZsh([script, line], folder);
}

function pressTabInZsh(args: readonly string[], folder: string): string[] {
  const driver = join(import.meta.dirname, 'fixtures', 'complete.zsh');
  const output = execFileSync('zsh', ['-f', driver, ...args], { cwd: folder, encoding: 'utf8' });
  return [...output.matchAll(/<<(.*?)>>/g)].map(([, offered = '']) => offered.replaceAll('\\', ''));
}

/** Prints a line for each: the whole word as it would stand, a tab, what it means. */
function fish({ line, folder, script }: Typed): string[] {
  const call = 'source $argv[1]; complete -C $argv[2]';
  const env = { ...process.env, HOME: dirname(script), XDG_DATA_HOME: dirname(script) };
  const output = execFileSync('fish', ['--no-config', '-c', call, script, line], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  return linesOf(output).map((offered) => offered.replace(/\t.*/, '').replace(/^--\S+=/, ''));
}

function linesOf(text: string): string[] {
  return text.split('\n').filter(Boolean);
}
