'use client';
import { useQuery } from '@tanstack/react-query';
import { type ChangeEvent, useId } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { buttonClass } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useSettled } from '../recipe/useSettled.ts';

/** Definitions of functions that the model may call, as JSON: written, or read from a file. The agent says whether it can use them. */
export function ToolsField({ tools, onChange }: { tools: string; onChange: (tools: string) => void }) {
  const t = useTranslations('chat');
  const id = useId();
  const hasSocket = useHasSocket();
  const settled = useSettled(tools, 300);
  const { data: names, error } = useQuery({
    queryKey: ['chat-tools', settled],
    queryFn: () => agent().chat.checkTools.query({ tools: settled }),
    enabled: hasSocket && settled.trim() !== '',
    gcTime: 60_000,
  });
  const isGiven = tools.trim() !== '' && settled === tools;
  const read = async ({ target }: ChangeEvent<HTMLInputElement>) => {
    const text = await target.files?.[0]?.text();
    target.value = '';
    if (text !== undefined) onChange(text);
  };
  return (
    <div className="grid gap-1">
      <div className="flex items-end gap-2">
        <label htmlFor={id} className="label">
          {t('tools')}
        </label>
        <label
          className={`${buttonClass()} relative ml-auto h-6! px-2! text-[12px]! has-focus-visible:outline-2 has-focus-visible:outline-ember`}
        >
          {t('toolsFile')}
          <input
            type="file"
            accept=".json,application/json"
            onChange={(event) => void read(event)}
            className="absolute inset-0 w-full cursor-pointer opacity-0"
          />
        </label>
      </div>
      <textarea
        id={id}
        rows={3}
        spellCheck={false}
        value={tools}
        onChange={(event) => onChange(event.target.value)}
        placeholder={t('toolsHint')}
        aria-invalid={isGiven && error !== null}
        className="max-h-60 min-h-16 w-full rounded-md border border-line bg-paper px-2.5 py-1.5 font-mono text-[12px] placeholder:font-sans placeholder:text-[13px] placeholder:text-muted aria-invalid:border-bad"
      />
      {isGiven && names && (
        <p role="status" className="text-[12px] text-muted [overflow-wrap:anywhere]">
          {t('toolsKnown', { count: names.length, names: names.join(', ') })}
        </p>
      )}
      {isGiven && error && <ErrorNote error={shownError(error)} />}
    </div>
  );
}
