import { relative } from 'node:path';
import type { ComparedExport, ComparedPrompt, Parity } from '@anneal/core/protocol/exports';
import { type ParityVerdict, verdictOf } from '@anneal/core/protocol/parity';
import { exitCodes } from '../exitCodes.ts';
import { finish } from '../service/finish.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson } from '../terminal/print.ts';
import { bar, ProgressLine } from '../terminal/progressLine.ts';
import type { CheckOptions } from './exports.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

/** Exits as failed where a promise does not hold. @param exported without any: all of the run's that lie there */
export async function checkExports(
  source: string,
  exported: readonly string[],
  options: RunsOptions & CheckOptions,
): Promise<void> {
  const { checkpoint, prompt: prompts, maxTokens } = options;
  const checkParity = await useCase('checkParity');
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const request = { source, checkpoint, prompts, maxTokens, ...(exported.length > 0 && { exported }) };
  const compared = await finish(checkParity(contextOf(options), request), ({ model, phase, done, total }) =>
    line?.show(`${phase}  ${bar(done / total, 20)}  ${relative('.', model) || model}`),
  ).finally(() => line?.clear());
  if (compared.some(({ parity }) => verdictOf(parity) === 'different')) process.exitCode = exitCodes.failed;
  if (options.json) printJson(compared);
  else for (const one of compared) printCompared(one);
}

const verdicts: Readonly<Record<ParityVerdict, string>> = {
  same: 'the same tokens',
  near_tie: 'the same tokens, but for two that are nearly as likely',
  rounded: 'other tokens, as its weights are rounded',
  different: 'other tokens than promised',
};

function printCompared({ path, parity }: ComparedExport): void {
  const verdict = verdictOf(parity);
  const color = verdict === 'different' ? colors.red : verdict === 'same' ? colors.green : colors.yellow;
  print(`${color(verdicts[verdict])}  ${shareOf(parity)} agree  ${relative('.', path)}`);
  for (const prompt of parity.prompts)
    if (!prompt.samePrompt || prompt.partsAt !== null) print(`  ${differenceOf(prompt)}`);
}

function shareOf({ prompts }: Parity): string {
  const [agreeing, tokens] = prompts.reduce(([a, b], prompt) => [a + prompt.agreeing, b + prompt.tokens], [0, 0]);
  return `${agreeing} of ${tokens}`;
}

function differenceOf({ prompt, samePrompt, partsAt, before, after, margin }: ComparedPrompt): string {
  const asked = JSON.stringify(prompt);
  if (!samePrompt) return `${asked}: the prompt becomes other tokens`;
  const tokens = `${JSON.stringify(before)} before, ${JSON.stringify(after)} after`;
  return `${asked}: parts at token ${(partsAt ?? 0) + 1}, ${tokens} (at most ${margin.toPrecision(2)} apart)`;
}
