import type { SynthesisEstimate, SynthesisResult } from '@anneal/core/protocol/synthesis';
import { synthesisRequest } from '@anneal/core/protocol/synthesis';
import { shellWord } from '@anneal/core/shellWord';
import type { Command } from 'commander';
import { exitCodes } from '../exitCodes.ts';
import { finish } from '../service/finish.ts';
import { errorColors } from '../terminal/colors.ts';
import { print, printHint, printJson, remark } from '../terminal/print.ts';
import { showSynthesisProgress } from '../terminal/synthesisProgress.ts';
import { formatPairs } from '../terminal/table.ts';
import { formatCount, formatDuration } from '../units.ts';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';
import { addSetOption } from './setOption.ts';
import { onStopSignals } from './stopSignals.ts';
import { useCase } from './useCases.ts';

interface Options {
  dryRun?: boolean;
  samples?: number;
  overwrite?: boolean;
  set?: readonly string[];
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSetOption(command.argument('<recipe>', 'what is asked, whom, and about which documents or rows'))
      .option('--dry-run', 'say how many requests and tokens it takes; nothing is sent but --samples')
      .addOption(
        optionFor(
          synthesisRequest.shape.samples,
          '--samples <n>',
          'requests that are asked first, to measure what the others take; their answers are kept (default: 3, with --dry-run 0)',
        ),
      )
      .option('--overwrite', 'replace an output that others have written or changed')
      .action(synthesize),
    'anneal synthesize questions.yaml --dry-run',
    'anneal synthesize questions.yaml --dry-run --samples 3',
    'anneal synthesize questions.yaml',
    'anneal synthesize questions.yaml --set endpoint.model=qwen3:8b --set max_chunks=100',
  );
}

async function synthesize(recipe: string, options: Options): Promise<void> {
  const synthesizeRows = await useCase('synthesizeRows');
  const { dryRun, samples, overwrite, set, json } = options;
  const stopping = new AbortController();
  const progress = showSynthesisProgress({ sayEstimate: (estimate) => remark(estimateInWords(estimate)) });
  const stopListening = onStopSignals((times) => {
    if (times > 1) process.exit(exitCodes.interrupted);
    remark('stopping: the answers so far become rows; Ctrl-C again stops at once');
    stopping.abort();
  });
  try {
    const making = synthesizeRows({ signal: stopping.signal }, { recipe, set, dryRun, samples, overwrite });
    const result = await finish(making, progress.show).finally(progress.end);
    if (result.state === 'stopped') process.exitCode = stopping.signal.aborted ? exitCodes.stopped : exitCodes.failed;
    else if (result.failed > 0) process.exitCode = exitCodes.failed;
    if (json) return printJson(result);
    printResult(result, recipe);
  } finally {
    stopListening();
  }
}

function printResult(result: SynthesisResult, recipe: string): void {
  const { state, sources, chunks, requests, judgements, answered, failed, rows, output, rejected, rejectedFile } =
    result;
  const left = Object.entries(rejected).map(([reason, count]) => `${formatCount(count)} ${reason}`);
  for (const [what, names] of [
    ['no documents, passed over', result.passedOver],
    ['without text', result.empty],
  ] as const) {
    if (names.length > 0) remark(`${errorColors.yellow('note:')} ${what}: ${listed(names)}`);
  }
  if (result.repeated > 0) {
    remark(
      `${errorColors.yellow('note:')} asked once: ${formatCount(result.repeated)} requests that say the same as another`,
    );
  }
  print(
    formatPairs([
      chunks === null
        ? ['rows read', formatCount(sources)]
        : ['documents', `${formatCount(sources)}, ${formatCount(chunks)} chunks`],
      [
        'requests',
        `${formatCount(requests)}, ${formatCount(answered)} answered${failed > 0 ? `, ${formatCount(failed)} failed` : ''}`,
      ],
      ...(state === 'finished' ? [] : [['to do', estimateInWords(result.estimate)] as const]),
      ...(judgements > 0 && state === 'estimated'
        ? [['judgements', `about ${formatCount(judgements)} requests more at most`] as const]
        : []),
      ...(state === 'estimated'
        ? []
        : [['rows', `${formatCount(rows)}${output === null ? '' : ` in ${output}`}`] as const]),
      ...(rejectedFile === null ? [] : [['left out', `${left.join(', ')}, listed in ${rejectedFile}`] as const]),
    ]),
  );
  const again = `anneal synthesize ${shellWord(recipe)}`;
  if (state === 'stopped') printHint(`go on with: ${again}`);
  else if (failed > 0) printHint(`ask those that failed again: ${again}`);
  else if (output !== null) printHint(`look at it: anneal inspect ${shellWord(output)}`);
}

function estimateInWords({
  requests,
  promptTokens,
  completionTokens,
  milliseconds,
  measured,
}: SynthesisEstimate): string {
  if (requests === 0) return 'nothing';
  const most = measured === 0 ? 'at most ' : 'about ';
  const time = milliseconds === null ? '' : `, ${formatDuration(milliseconds)}`;
  const by = measured === 0 ? 'counted by characters: --samples 3 measures' : `by ${formatCount(measured)} answers`;
  return (
    `${formatCount(requests)} requests: about ${formatCount(promptTokens)} tokens sent, ` +
    `${most}${formatCount(completionTokens)} answered${time} (${by})`
  );
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
