'use client';
import type { StudioExport } from '@anneal/core/protocol/exports';
import { CloudUpload, Download, Scale, Terminal, Trash2 } from 'lucide-react';
import { useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import type { RunFacts } from '../../../agent/liveRun.ts';
import { agentPath } from '../../../agent/paths.ts';
import { useIsOff } from '../../../agent/useMe.ts';
import { buttonClass, IconButton } from '../../Button.tsx';
import { useFormat } from '../../format.ts';
import { ParityDetails, ParityLine } from './ParityDetails.tsx';
import { UseCommands } from './UseCommands.tsx';

/** One thing that was exported: what it is, whether it answers as the run does, and what can be done with it. */
export function ExportRow({
  run,
  exported,
  onCheck,
  onPush,
  onDelete,
}: {
  run: RunFacts;
  exported: StudioExport;
  /** Undefined while something is compared. */
  onCheck: (() => void) | undefined;
  /** Undefined while something is pushed. */
  onPush: (() => void) | undefined;
  onDelete: () => void;
}) {
  const t = useTranslations('exports');
  const format = useFormat();
  const details = useId();
  const [open, setOpen] = useState<'use' | 'parity' | null>(null);
  const isOff = useIsOff('operator');
  const name = nameOf(exported);
  const { file, tokens } = exported.imatrix ?? {};
  const imatrix = file
    ? t('imatrixFile', { file })
    : typeof tokens === 'number' && t('imatrixRows', { tokens: format.count(tokens) });
  const toggle = (what: 'use' | 'parity') => setOpen(open === what ? null : what);
  return (
    <li className="px-4 py-2.5" data-export={exported.key}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <div className="min-w-0 grow basis-64">
          <div className="flex flex-wrap items-baseline gap-x-2">
            <span className="font-medium text-[13px]">{name}</span>
            <span className="figures text-[12.5px] text-muted">
              {format.bytes(sizeOf(exported))}
              {exported.run && ` · ${t('step', { step: format.count(exported.run.step) })}`} ·{' '}
              {format.time(exported.created)}
              {imatrix && ` · ${imatrix}`}
            </span>
          </div>
          <p className="truncate font-mono text-[11.5px] text-muted" title={exported.key}>
            {exported.key}
          </p>
          {exported.form !== 'ollama' && (
            <ParityLine
              parity={exported.parity}
              controls={details}
              isOpen={open === 'parity'}
              onToggle={() => toggle('parity')}
            />
          )}
          {exported.warnings.map((warning) => (
            <p key={warning} className="text-[12.5px] text-warn">
              {warning}
            </p>
          ))}
        </div>
        <div className="-ml-2 flex items-center gap-0.5 max-sm:w-full sm:ml-0">
          <IconButton
            label={`${t('use')}: ${name}`}
            aria-expanded={open === 'use'}
            aria-controls={details}
            onClick={() => toggle('use')}
          >
            <Terminal className="size-4" />
          </IconButton>
          {exported.form !== 'ollama' && (
            <IconButton label={`${t('checkNow')}: ${name}`} disabled={isOff || !onCheck} onClick={onCheck}>
              <Scale className="size-4" />
            </IconButton>
          )}
          {exported.form !== 'ollama' && (
            <IconButton label={t('pushOf', { name })} disabled={isOff || !onPush} onClick={onPush}>
              <CloudUpload className="size-4" />
            </IconButton>
          )}
          <IconButton label={t('deleteOf', { name })} disabled={isOff} onClick={onDelete}>
            <Trash2 className="size-4" />
          </IconButton>
          <a
            href={downloadHref(run, exported)}
            download
            aria-label={t('downloadOf', { name })}
            className={`${buttonClass()} ml-1 max-sm:ml-auto`}
          >
            <Download className="size-3.5" aria-hidden="true" />
            {t('download')}
          </a>
        </div>
      </div>
      <div id={details}>
        {open === 'use' && <UseCommands exported={exported} baseModel={run.baseModel} />}
        {open === 'parity' && exported.parity && <ParityDetails parity={exported.parity} />}
      </div>
    </li>
  );
}

function downloadHref(run: RunFacts, { key }: StudioExport): string {
  return agentPath(`/api/exports/download?${new URLSearchParams({ run: run.key, export: key })}`);
}

function nameOf({ form, type, path }: StudioExport): string {
  if (form === 'gguf') return `GGUF ${type?.toUpperCase() ?? path}`;
  if (form === 'merged') return `Safetensors ${type ?? ''}`;
  return form === 'lora' ? 'PEFT' : 'Modelfile';
}

export function sizeOf({ files }: StudioExport): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
