'use client';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { useTranslations } from 'use-intl';

const looks = {
  created: ['text-muted', 'bg-faint'],
  queued: ['text-teal', 'bg-teal'],
  preparing: ['text-ember', 'bg-ember animate-breathe'],
  running: ['text-ember', 'bg-ember animate-breathe'],
  stopping: ['text-warn', 'bg-warn animate-breathe'],
  saving: ['text-ember', 'bg-ember animate-breathe'],
  stopped: ['text-muted', 'bg-muted'],
  finished: ['text-good', 'bg-good'],
  failed: ['text-bad', 'bg-bad'],
  damaged: ['text-bad', 'bg-bad'],
  interrupted: ['text-warn', 'bg-warn'],
} as const;

/** The state of a run, or what it is about to do because somebody asked. */
export function StateBadge({ run }: { run: Pick<ListedRun, 'state' | 'requested' | 'queued'> }) {
  const t = useTranslations('state');
  const shown = run.requested === 'stop' ? 'stopping' : run.requested === 'save' ? 'saving' : run.state;
  const [text, dot] = looks[shown];
  return (
    <span
      data-state={shown}
      className={`inline-flex items-center gap-1.5 whitespace-nowrap font-medium text-[12.5px] ${text}`}
    >
      <span className={`size-[7px] rounded-full ${dot}`} aria-hidden="true" />
      {shown === 'queued' && run.queued ? t('place', { ...run.queued }) : t(shown)}
    </span>
  );
}
