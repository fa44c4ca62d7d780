'use client';
import type { ListedJob } from '@anneal/core/protocol/jobs';
import { useQuery } from '@tanstack/react-query';
import { agent } from '../../../agent/connection.ts';
import { isRunning, useJobs } from '../../../agent/jobs.ts';
import type { RunFacts } from '../../../agent/liveRun.ts';
import { ErrorNote, shownError } from '../../ErrorNote.tsx';
import { JobProgress } from '../../jobs/JobProgress.tsx';
import { ExportForm } from './ExportForm.tsx';
import { ExportList } from './ExportList.tsx';
import { Pushed } from './Pushed.tsx';

const kinds: ReadonlySet<ListedJob['kind']> = new Set(['export', 'parity', 'push']);

/** Handing on what was trained: what it could be, what is being written, and what is there. */
export function Exports({ run }: { run: RunFacts }) {
  const jobs = useJobs().filter(({ subject, kind }) => subject === run.key && kinds.has(kind));
  const running = jobs.filter(isRunning);
  const [last] = jobs;
  const { data: exports, error } = useQuery({
    queryKey: ['exports', run.key, jobs.map(({ id, state }) => `${id} ${state}`).join()],
    queryFn: () => agent().exports.list.query({ run: run.key }),
    placeholderData: (before) => before,
  });
  const failure = error ? shownError(error) : last?.state === 'failed' ? last.error : null;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] lg:grid-cols-[minmax(0,25rem)_minmax(0,1fr)]">
      <ExportForm run={run} exports={exports ?? []} isExporting={running.some(({ kind }) => kind === 'export')} />
      <div className="min-w-0 border-line max-lg:border-t lg:border-l">
        {running.map((job) => (
          <div key={job.id} className="border-line border-b px-4 py-3">
            <JobProgress job={job} />
          </div>
        ))}
        {failure && (
          <div className="p-4">
            <ErrorNote error={failure} />
          </div>
        )}
        {last?.kind === 'push' && last.result && <Pushed result={last.result} />}
        {exports && (
          <ExportList
            run={run}
            exports={exports}
            isChecking={running.some(({ kind }) => kind === 'parity')}
            isPushing={running.some(({ kind }) => kind === 'push')}
          />
        )}
      </div>
    </div>
  );
}
