/** The log of a run, read once, event by event: of a long one no more is held than a few numbers a step. */
import { closeSync, fstatSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Diagnosing } from '../protocol/diagnoses.ts';
import type { EventOf } from '../protocol/events.ts';
import { eventsOfFile, readEvents } from '../trainer/eventReader.ts';
import { openRunFile } from '../trainer/runFiles.ts';
import type { Evidence } from './evidence.ts';
import { RecordedSteps } from './recordedSteps.ts';

export interface Watching {
  readonly report: (progress: Diagnosing) => void;
  readonly signal: AbortSignal;
}

const reportEveryMilliseconds = 100;

interface Log extends Pick<Evidence, 'steps' | 'evaluations' | 'samples'> {
  /** With which the newest launch ended. */
  failure: EventOf<'failed'>['error'] | null;
}

/** @throws UserError for a log that cannot be read; the reason of the signal */
export async function readLog(run: string, watching: Watching): Promise<Log> {
  const path = join(run, 'events.jsonl');
  const file = openRunFile(path);
  try {
    const size = fstatSync(file).size;
    const steps = new RecordedSteps();
    let evaluations: { step: number; loss: number | null }[] = [];
    let samples: { step: number; seq: number }[] = [];
    let failure: Log['failure'] = null;
    let reportAt = performance.now();
    for (const { event, end } of eventsOfFile(file, path)) {
      if (event.type === 'step') steps.add(event);
      else if (event.type === 'evaluated') evaluations.push({ step: event.step, loss: event.loss });
      else if (event.type === 'sample') samples.push({ step: event.step, seq: event.seq });
      else if (event.type === 'failed') failure = event.error;
      else if (event.type === 'finished' || event.type === 'started') failure = null;
      else if (event.type === 'resumed') {
        const { fromStep } = event;
        steps.dropAfter(fromStep);
        evaluations = evaluations.filter(({ step }) => step <= fromStep);
        samples = samples.filter(({ step }) => step <= fromStep);
      }
      if (performance.now() < reportAt) continue;
      await tell({ phase: 'events', share: Math.min(1, end / size) }, watching);
      reportAt = performance.now() + reportEveryMilliseconds;
    }
    return { steps, evaluations, samples: newestOf(path, samples), failure };
  } finally {
    closeSync(file);
  }
}

/** Reports, lets others have their turn, and ends where somebody has cancelled. */
export async function tell(progress: Diagnosing, { report, signal }: Watching): Promise<void> {
  report(progress);
  await nextTurn();
  signal.throwIfAborted();
}

/** The texts of the newest step that has some: only these are read. */
function newestOf(path: string, samples: readonly { step: number; seq: number }[]): EventOf<'sample'>[] {
  const last = samples.at(-1);
  if (!last) return [];
  const wanted = new Set(samples.filter(({ step }) => step === last.step).map(({ seq }) => seq));
  const found: EventOf<'sample'>[] = [];
  for (const event of readEvents(path, { afterSeq: Math.min(...wanted) - 1 })) {
    if (event.type === 'sample' && wanted.has(event.seq)) found.push(event);
    if (event.seq >= last.seq) break;
  }
  return found;
}
