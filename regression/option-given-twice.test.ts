/** `export --gguf q8_0 --gguf f16` made f16 alone, without a word: commander keeps the last value of an option. */
import { expect, test } from 'vitest';
import { buildProgram } from '../apps/agent/src/program.ts';

async function parsed(verb: string, ...words: string[]): Promise<string> {
  const program = await buildProgram(verb, { quiet: true });
  const leaf = program.commands.find((command) => command.name() === verb);
  leaf?.action(() => {});
  return program.parseAsync(['node', 'anneal', verb, ...words]).then(
    () => 'runs',
    (error: Error) => error.message,
  );
}

test('an option that takes one value is given once', async () => {
  expect(await parsed('export', 'run', '--gguf', 'q8_0', '--gguf', 'f16')).toBe(
    'error: --gguf is given twice, as q8_0 and f16: give it once',
  );
  expect(await parsed('export', 'run', '--gguf', 'q8_0', '--gguf', 'q8_0')).toBe('runs');
});

test('one that collects values is given any number of times', async () => {
  expect(await parsed('validate', 'recipe.yaml', '--set', 'seed=1', '--set', 'seed=2')).toBe('runs');
  expect(await parsed('bench', '--op', 'add', '--op', 'linear')).toBe('runs');
});
