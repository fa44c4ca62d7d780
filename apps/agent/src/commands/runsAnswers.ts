import type { ListedAnswer } from '@anneal/core/protocol/answers';
import { colors } from '../terminal/colors.ts';
import { print, printJson } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatCount } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

const charactersShown = 80;

export async function answers(run: string, step: number, options: RunsOptions & { full?: boolean }): Promise<void> {
  const sampledAnswers = await useCase('sampledAnswers');
  const found = await sampledAnswers(contextOf(options), { run, step });
  if (options.json) {
    printJson(found);
    return;
  }
  const prompts = [...Map.groupBy(found, ({ file, row, prompt }) => `${file}:${row} ${prompt}`).values()];
  const reward = found.reduce((sum, answer) => sum + answer.reward, 0) / found.length;
  print(
    `step ${formatCount(step)}: ${formatCount(found.length)} answers to ${prompts.length === 1 ? 'one prompt' : `${formatCount(prompts.length)} prompts`}, ` +
      `mean reward ${inWords(reward)}`,
  );
  for (const ofPrompt of prompts) printPrompt(ofPrompt, options.full ?? false);
}

/** The best answer first. */
function printPrompt(given: readonly ListedAnswer[], full: boolean): void {
  const [{ file, row, prompt }] = given as readonly [ListedAnswer];
  print(`\n${colors.bold(`${file}:${row}`)}  ${full ? prompt : beginning(prompt)}`);
  const sorted = given.toSorted((a, b) => b.reward - a.reward || a.answer - b.answer);
  if (full) {
    for (const answer of sorted) print(`\n${colors.dim(headOf(answer))}\n${answer.text}`);
    return;
  }
  print(
    formatTable(
      [
        { title: 'REWARD', align: 'right' },
        { title: 'ADVANTAGE', align: 'right' },
        { title: 'TOKENS', align: 'right' },
        { title: 'ANSWER' },
      ],
      sorted.map(({ reward, advantage, tokens, text, ended }) => [
        inWords(reward),
        inWords(advantage),
        formatCount(tokens),
        `${beginning(text)}${ended ? '' : ' (cut)'}`,
      ]),
    ),
  );
}

function headOf({ reward, rewards, advantage, tokens, ended }: ListedAnswer): string {
  const parts = Object.entries(rewards).map(([name, value]) => `${name} ${inWords(value)}`);
  const functions = parts.length > 1 ? ` (${parts.join(', ')})` : '';
  const end = ended ? '' : ', cut';
  return `reward ${inWords(reward)}${functions}, advantage ${inWords(advantage)}, ${formatCount(tokens)} tokens${end}`;
}

const inWords = (value: number): string => value.toFixed(3);

function beginning(text: string): string {
  const line = JSON.stringify(text).slice(1, -1);
  return line.length > charactersShown ? `${line.slice(0, charactersShown)}…` : line;
}
