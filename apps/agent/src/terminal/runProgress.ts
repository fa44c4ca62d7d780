/** Tells a person how a run goes, from its events: a bar on a terminal, plain lines in a pipe, the events as JSON lines. */
import type { CheckpointReason, EventBody, RunEvent, StopReason } from '@anneal/core/protocol/events';
import { formatBytes, formatCount, formatDuration, formatNumber } from '../units.ts';
import { asCalled } from './asCalled.ts';
import { colors } from './colors.ts';
import { print, printJsonLine } from './print.ts';
import { barBefore, ProgressLine } from './progressLine.ts';
import { printError } from './reportError.ts';
import { type RewardMeasures, rewardFigures } from './rewardFigures.ts';

export interface RunProgress {
  show(event: RunEvent): void;
  /** Leaves the terminal as it was; the last lines stay. */
  end(): void;
}

export function showRunProgress(options: { json: boolean }): RunProgress {
  if (options.json) return { show: printJsonLine, end: () => undefined };
  return process.stdout.isTTY
    ? onTerminal(process.stdout)
    : { show: (event) => printEvent(event, print), end: () => undefined };
}

function onTerminal(out: NodeJS.WriteStream): RunProgress {
  const line = new ProgressLine(out);
  let totalSteps = 0;
  /** Milliseconds a step takes, smoothed over about ten steps. */
  let pace: number | undefined;
  return {
    show(event) {
      if (event.type === 'started') totalSteps = event.totalSteps;
      if (event.type !== 'step') {
        printEvent(event, (text) => line.print(text));
        return;
      }
      pace = pace === undefined ? event.milliseconds : pace + 0.1 * (event.milliseconds - pace);
      const left = Math.max(0, totalSteps - event.step) * pace;
      const text = [
        `${event.step}/${totalSteps}`,
        event.reward === undefined ? `loss ${formatNumber(event.loss)}` : `reward ${formatNumber(event.reward)}`,
        `lr ${formatNumber(event.learningRate)}`,
        `${formatCount(event.tokensPerSecond)} tok/s`,
        `${formatDuration(left)} left`,
      ].join('  ');
      line.show(barBefore(text, event.step / totalSteps, out.columns));
    },
    end: () => line.clear(),
  };
}

/** One event as a line or a few. */
export function printEvent(event: EventBody, write: (line: string) => void): void {
  switch (event.type) {
    case 'run_created':
      return write(`run ${colors.bold(event.id)}`);
    case 'recipe_changed':
      return write(
        `changed: ${event.changes.map(({ key, from, to }) => `${key} ${JSON.stringify(from)} → ${JSON.stringify(to)}`).join(', ')}`,
      );
    case 'data_prepared':
      return write(describeData(event));
    case 'planned': {
      const { total, libraries = 0, driver = 0, host = 0, ...classes } = event.memory;
      const sum = `${total === undefined ? '' : `${formatBytes(total)} = `}${sizesOf(classes).join(' + ')}`;
      const beside = sizesOf(
        Object.fromEntries(Object.entries({ libraries, driver, host }).filter(([, bytes]) => bytes > 0)),
      );
      return write(`memory: ${sum}${beside.length > 0 ? `; beside it ${beside.join(', ')}` : ''}`);
    }
    case 'initializing':
      return write(`the adapter begins as a part of the weights: ${event.linears} of ${event.of} linear layers`);
    case 'started':
      return write(`training for ${formatCount(event.totalSteps)} ${event.totalSteps === 1 ? 'step' : 'steps'}`);
    case 'resumed':
      return write(
        event.fromStep > 0 ? `continuing after step ${event.fromStep}` : 'starting again from the first step',
      );
    case 'step':
      return write(
        `step ${event.step}  epoch ${event.epoch.toFixed(2)}  loss ${formatNumber(event.loss)}${shortFigures(event)}  grad norm ${formatNumber(event.gradNorm)}` +
          `  lr ${formatNumber(event.learningRate)}  ${formatCount(event.tokensPerSecond)} tok/s`,
      );
    case 'evaluated':
      return write(
        `step ${event.step}  validation loss ${formatNumber(event.loss)}` +
          (event.perplexity === undefined ? shortFigures(event) : `  perplexity ${formatNumber(event.perplexity)}`),
      );
    case 'sample':
      write(colors.dim(`step ${event.step}  ${oneLine(event.prompt)}`));
      return write(`  ${event.text.trim().replaceAll('\n', '\n  ')}`);
    case 'checkpoint':
      return write(`step ${event.step}  saved ${event.path}${event.why ? ` (${checkpointWords[event.why]})` : ''}`);
    case 'warning':
      write(`${colors.yellow('warning:')} ${event.message}`);
      if (event.where) write(colors.dim(`  at ${event.where}`));
      if (event.next) write(`  ${asCalled(event.next)}`);
      return;
    case 'early_stopped':
      return write(`stopping early: best validation loss ${formatNumber(event.bestLoss)} at step ${event.bestStep}`);
    case 'stopped':
      return write(`stopped after step ${event.step}${event.why ? `: ${stopWords[event.why]}` : ''}`);
    case 'failed':
      return printError(event.error, { json: false });
    case 'finished':
      return write(
        `finished after step ${event.step}  loss ${formatNumber(event.loss)}` +
          (event.evaluationLoss === undefined ? '' : `  validation loss ${formatNumber(event.evaluationLoss)}`) +
          (event.milliseconds === undefined ? '' : `  ${formatDuration(event.milliseconds)} in steps`),
      );
  }
}

const checkpointWords: Record<CheckpointReason, string> = {
  cadence: 'as often as the recipe says',
  evaluation: 'for its validation loss',
  asked: 'on request',
  stop: 'before stopping',
  end: 'at the end',
};

const stopWords: Record<StopReason, string> = {
  asked: 'on request',
  at_once: 'on request, at once',
  terminal_closed: 'its terminal was closed',
  parent_gone: 'the process that started it is gone',
  terminated: 'its process was sent SIGTERM',
};

function describeData(event: Extract<EventBody, { type: 'data_prepared' }>): string {
  const share = event.tokens > 0 ? (100 * event.targetTokens) / event.tokens : 0;
  return [
    `data: ${formatCount(event.rows)} rows`,
    ...(event.trainingRows === undefined ? [] : [`${formatCount(event.trainingRows)} to train on`]),
    ...(event.validationRows === undefined ? [] : [`${formatCount(event.validationRows)} to measure`]),
    `${formatCount(event.tokens)} tokens an epoch`,
    ...(event.targetTokens > 0 ? [`${formatCount(event.targetTokens)} of them trained (${share.toFixed(0)} %)`] : []),
    ...(event.dropped > 0 ? [colors.yellow(`${formatCount(event.dropped)} dropped`)] : []),
    ...(event.truncated > 0 ? [colors.yellow(`${formatCount(event.truncated)} truncated`)] : []),
    ...(event.dropped + event.truncated > 0 ? ['listed in data/dropped.jsonl'] : []),
  ].join(', ');
}

/** Those that say how it goes; the events have them all. */
function shortFigures(measures: RewardMeasures): string {
  const figures = rewardFigures(measures, [
    'reward',
    'rewardMargin',
    'rewardAccuracy',
    'divergence',
    'balanceLoss',
    'answerTokens',
  ]);
  return figures.map(([name, value]) => `  ${name} ${value}`).join('');
}

function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  return flat.length > 100 ? `${flat.slice(0, 99)}…` : flat;
}

function sizesOf(classes: Readonly<Record<string, number>>): string[] {
  return Object.entries(classes).map(([name, bytes]) => `${name} ${formatBytes(bytes)}`);
}
