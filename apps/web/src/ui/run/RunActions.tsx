'use client';
import { useMutation } from '@tanstack/react-query';
import { ChevronDown, Pause, Play, Save, X } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection } from '../../agent/hooks.ts';
import type { RunFacts } from '../../agent/liveRun.ts';
import { useDevices } from '../../agent/useDevices.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button, buttonClass } from '../Button.tsx';
import { Confirm } from '../Confirm.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { DeleteRun } from './DeleteRun.tsx';

const resumable: ReadonlySet<RunFacts['state']> = new Set(['stopped', 'failed', 'interrupted', 'created']);

/** Where a run that has not begun can be started instead, as its device is gone. */
function StartElsewhere({ isOff, onStart }: { isOff: boolean; onStart: (device: string) => void }) {
  const t = useTranslations('run');
  return (
    <div className="flex flex-wrap justify-end gap-2">
      {useDevices()?.map(({ name, title }) => (
        <Button key={name} title={title} disabled={isOff} onClick={() => onStart(name)}>
          {t('startOn', { device: name })}
        </Button>
      ))}
    </div>
  );
}

/** What can be asked of a run in its state. Asked twice, it does the same: each asks for a state, none toggles. */
export function RunActions({ run }: { run: RunFacts }) {
  const t = useTranslations('run');
  const named = { run: run.key };
  const stop = useMutation({ mutationFn: (now: boolean) => agent().runs.stop.mutate({ ...named, now }) });
  const save = useMutation({ mutationFn: () => agent().runs.save.mutate(named) });
  const resume = useMutation({
    mutationFn: (set: string[]) => agent().runs.resume.mutate({ ...named, set }),
  });
  const leave = useMutation({ mutationFn: () => agent().queue.remove.mutate(named) });
  const [asking, setAsking] = useState(false);
  const isAway = useConnection() !== 'open';
  const may = useMay('operator');
  const isRunning = run.state === 'running' || run.state === 'preparing';
  const isStopping = run.requested === 'stop' || stop.isPending;
  const error = stop.error ?? save.error ?? resume.error ?? leave.error;
  if (!may) return null;
  return (
    <div className="grid justify-items-end gap-3">
      <div className="flex gap-2">
        {isRunning && (
          <>
            <Button
              title={t('saveHint')}
              disabled={isAway || isStopping || run.requested === 'save' || run.state !== 'running'}
              onClick={() => save.mutate()}
            >
              <Save className="size-3.5" aria-hidden="true" />
              {t('save')}
            </Button>
            <div className="flex">
              <Button
                title={t('stopHint')}
                disabled={isAway || isStopping}
                onClick={() => stop.mutate(false)}
                className="rounded-r-none"
              >
                <Pause className="size-3.5" aria-hidden="true" />
                {t('stop')}
              </Button>
              <DropdownMenu.Root>
                <DropdownMenu.Trigger
                  disabled={isAway}
                  aria-label={t('more')}
                  className={`${buttonClass()} -ml-px rounded-l-none px-1.5`}
                >
                  <ChevronDown className="size-4" aria-hidden="true" />
                </DropdownMenu.Trigger>
                <DropdownMenu.Portal>
                  <DropdownMenu.Content
                    align="end"
                    sideOffset={4}
                    className="z-30 w-72 rounded-lg border border-line bg-surface p-1 shadow-black/8 shadow-lg"
                  >
                    <DropdownMenu.Item
                      onSelect={() => setAsking(true)}
                      className="grid cursor-pointer rounded-md px-3 py-2 data-[highlighted]:bg-sunken"
                    >
                      <span className="font-medium text-bad">{t('stopNow')}</span>
                      <span className="text-[12.5px] text-muted">{t('stopNowHint')}</span>
                    </DropdownMenu.Item>
                  </DropdownMenu.Content>
                </DropdownMenu.Portal>
              </DropdownMenu.Root>
            </div>
          </>
        )}
        {run.state === 'queued' && (
          <Button title={t('leaveQueueHint')} disabled={isAway || leave.isPending} onClick={() => leave.mutate()}>
            <X className="size-3.5" aria-hidden="true" />
            {t('leaveQueue')}
          </Button>
        )}
        {resumable.has(run.state) && (
          <Button
            look="primary"
            title={run.state === 'created' ? undefined : t('resumeHint')}
            disabled={isAway || resume.isPending}
            onClick={() => resume.mutate([])}
          >
            <Play className="size-3.5" aria-hidden="true" />
            {t(run.state === 'created' ? 'start' : 'resume')}
          </Button>
        )}
        {!isRunning && <DeleteRun run={run.key} />}
      </div>
      {error && <ErrorNote error={shownError(error)} />}
      {run.state === 'created' && resume.error && shownError(resume.error).code === 'device_not_found' && (
        <StartElsewhere isOff={isAway || resume.isPending} onStart={(device) => resume.mutate([`device=${device}`])} />
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t('stopNow')}
        text={t('stopNowConfirm')}
        action={t('stopNow')}
        onConfirm={() => stop.mutate(true)}
      />
    </div>
  );
}
