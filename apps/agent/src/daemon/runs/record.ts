/** What the index of runs has of them, as they are set side by side: no log is read for that. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordedRun } from '../../service/runs/compare.ts';
import { type RunRecord, recordOf } from '../../service/runs/record.ts';
import type { RunFeed } from './feed.ts';
import { placeOf } from './stepTable.ts';

/** @throws UserError of the first run that is damaged */
export async function recordedRuns(feeds: readonly RunFeed[]): Promise<RecordedRun[]> {
  const runs: RecordedRun[] = [];
  for (const feed of feeds) {
    const { id, state } = feed.summary;
    if (feed.error) throw feed.error;
    if (state === 'damaged') throw new Error(`${feed.key} is damaged without an error`);
    runs.push({ id, path: feed.path, state, record: recordOfFeed(feed) });
    await nextTurn(); // others are served in between
  }
  return runs;
}

function recordOfFeed({ steps, marks, happenings, summary }: RunFeed): RunRecord {
  // The newest thousand: how the run ended is among them.
  const record = recordOf(happenings.events);
  record.lastStep = Math.max(record.lastStep, summary.step);
  record.evaluations = marks.evaluations;
  const places = (['step', 'loss', 'learningRate', 'tokens', 'milliseconds'] as const).map(placeOf);
  const columns = [record.steps, record.losses, record.learningRates, record.tokens, record.milliseconds];
  for (const { values } of steps.rows(0)) {
    for (let row = 0; row < values.length; row += steps.width) {
      for (const [at, column] of columns.entries()) column.push(values[row + (places[at] as number)] as number);
    }
  }
  return record;
}
