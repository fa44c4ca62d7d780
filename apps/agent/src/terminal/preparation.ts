import type { PreparationProgress } from '@anneal/core/protocol/estimates';
import { finish } from '../service/finish.ts';
import { formatCount } from '../units.ts';
import { ProgressLine } from './progressLine.ts';

/** Runs to its end what prepares data first; a terminal shows how far it is. */
export async function finishPreparing<Result>(useCase: AsyncGenerator<PreparationProgress, Result>): Promise<Result> {
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  return finish(useCase, (progress) => {
    if (progress.phase !== 'preparing') line?.clear();
    else line?.show(`${progress.file}: ${formatCount(progress.rows)} of ${formatCount(progress.rowsOfFile)} rows`);
  }).finally(() => line?.clear());
}
