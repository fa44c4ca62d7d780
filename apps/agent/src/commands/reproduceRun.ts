import type { Environment } from '@anneal/core/protocol/events';
import type { FileDifference, Reproduction, ReproductionProgress } from '@anneal/core/protocol/reproductions';
import { exitCodes } from '../exitCodes.ts';
import { finish } from '../service/finish.ts';
import { reproduceRun } from '../service/runs/reproduce.ts';
import { colors } from '../terminal/colors.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { bar, ProgressLine } from '../terminal/progressLine.ts';
import { formatCount, formatNumber } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';

interface Options extends RunsOptions {
  until?: number;
  into?: string;
}

/** Tensors that are listed of a file; the rest is counted. */
const mostTensors = 5;

export async function reproduce(run: string, { until, into, ...options }: Options): Promise<void> {
  const cancelled = new AbortController();
  const cancel = () => cancelled.abort();
  process.once('SIGINT', cancel).once('SIGTERM', cancel);
  const progress = showProgress();
  try {
    const context = { ...contextOf(options), signal: cancelled.signal };
    const result = await finish(reproduceRun(context, { run, until, into }), progress.show).finally(progress.end);
    process.exitCode = result.agrees ? exitCodes.done : exitCodes.failed;
    if (options.json) printJson(result);
    else printResult(result);
  } catch (error) {
    if (!cancelled.signal.aborted) throw error;
    remark('stopped: nothing was compared');
    process.exitCode = exitCodes.interrupted;
  } finally {
    process.off('SIGINT', cancel).off('SIGTERM', cancel);
  }
}

/** On stderr: a bar on a terminal, otherwise a line for each tenth. */
function showProgress(): { show(progress: ReproductionProgress): void; end(): void } {
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  let saidTenth = -1;
  return {
    show(progress) {
      if (progress.phase === 'checking') return line ? line.show(`checking ${progress.what}`) : undefined;
      if (progress.phase === 'preparing') return line ? line.show('preparing the data') : remark('preparing the data');
      if (progress.phase === 'comparing') return line?.show(`comparing the checkpoint of step ${progress.step}`);
      const { step, until, loss, original } = progress;
      const beside = original === undefined ? '' : `, was ${formatNumber(original)}`;
      const text = `step ${step} of ${until}  loss ${formatNumber(loss)}${beside}`;
      const tenth = Math.floor((10 * step) / until);
      if (line) line.show(`${bar(step / until, 20)}  ${text}`);
      else if (tenth !== saidTenth) remark(text);
      saidTenth = tenth;
    },
    end: () => line?.clear(),
  };
}

function printResult({
  id,
  until,
  agrees,
  steps,
  firstDifference,
  checkpoints,
  environments,
  kept,
}: Reproduction): void {
  const losses = `${formatCount(steps)} recorded ${steps === 1 ? 'step' : 'steps'} up to step ${until}`;
  if (firstDifference) {
    const { step, original, repeated } = firstDifference;
    print(`${colors.red('differs')}  step ${step} is the first one with another loss or gradient norm, of ${losses}`);
    print(`         its loss was ${original}, and is ${repeated}`);
  } else print(`${colors.green('agrees')}   loss and gradient norm of ${losses}`);
  for (const { step, differences } of checkpoints) {
    const verdict = differences.length === 0 ? colors.green('agrees') : colors.red('differs');
    print(`${verdict.padEnd(verdict.length + (differences.length === 0 ? 1 : 0))}  checkpoint ${step}`);
    for (const difference of differences) printDifference(difference);
  }
  if (checkpoints.length === 0) print('         the run has no checkpoint up to there: only losses were compared');
  printEnvironments(environments, agrees);
  if (kept) print(`the repetition is kept: ${kept}`);
  print(agrees ? colors.green(`${id} comes out the same`) : colors.red(`${id} does not come out the same`));
}

function printDifference({ file, what, tensors }: FileDifference): void {
  const said = { content: 'other bytes', missing: 'not written this time', added: 'not there the first time' }[what];
  print(`         ${file}: ${said}`);
  for (const { tensor, elements, differing, largest } of tensors.slice(0, mostTensors)) {
    const by = largest === null ? '' : `, by up to ${largest.toExponential(2)}`;
    print(`           ${tensor}: ${formatCount(differing)} of ${formatCount(elements)} elements${by}`);
  }
  if (tensors.length > mostTensors) print(`           and ${tensors.length - mostTensors} more tensors`);
}

/** Which of several equal GPUs it was changes no bit. */
type ComparedKey = Exclude<keyof Environment, 'busId'>;

const environmentNames: Readonly<Record<ComparedKey, string>> = {
  version: 'version of Anneal',
  device: 'device',
  processor: 'processor',
  instructionSet: 'instruction set',
  threads: 'threads',
};

/** What is not the same as then is the likely cause; where all is, that is said, too. */
function printEnvironments({ original, repeated }: Reproduction['environments'], agrees: boolean): void {
  if (!repeated) return;
  if (!original) {
    if (!agrees) print('the run does not say on which machine it was trained: that can be the cause');
    return;
  }
  const keys = Object.keys(environmentNames) as ComparedKey[];
  const changed = keys.filter((key) => original[key] !== repeated[key]);
  if (changed.length > 0 && !agrees)
    print('likely causes, the same bits are promised on the same machine and version only:');
  for (const key of changed) print(`  ${environmentNames[key]}: ${original[key]} → ${repeated[key]}`);
  if (changed.length === 0 && !agrees) {
    print('machine, instruction set, threads and version are the same: this is a defect in Anneal, please report it');
  }
}
