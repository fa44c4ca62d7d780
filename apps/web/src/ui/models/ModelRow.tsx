'use client';
import type { JobOf } from '@anneal/core/protocol/jobs';
import type { LocalModel } from '@anneal/core/protocol/models';
import { useMutation } from '@tanstack/react-query';
import { ShieldCheck, Trash2 } from 'lucide-react';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { Button, IconButton } from '../Button.tsx';
import { useFormat } from '../format.ts';
import { ProblemLine } from '../ProblemLine.tsx';

export const columns = 'lg:grid-cols-[minmax(0,1fr)_11rem_5.5rem_7rem_6.5rem_3.5rem_7rem]';

/** A model that is here: what it is, where it came from, who uses it. */
export function ModelRow({
  model,
  checked,
  onRemove,
}: {
  model: LocalModel;
  /** The newest comparison with its hashes that came to an end. */
  checked: JobOf<'checkModel'> | undefined;
  onRemove: () => void;
}) {
  const t = useTranslations('models');
  const format = useFormat();
  const isOff = useIsOff('operator');
  const { name, path, place, isWhole, runs } = model;
  const check = useMutation({ mutationFn: () => agent().models.check.mutate({ model: path }) });
  const resume = useMutation({
    mutationFn: () =>
      agent().models.pull.mutate({ model: name, ...(model.revision !== null && { revision: model.revision }) }),
  });
  const isUsed = runs.length > 0;
  return (
    <li
      data-model={name}
      className={`grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-2 px-4 py-2.5 ${columns}`}
    >
      <div className="min-w-0 max-lg:col-span-2">
        <div className="truncate font-medium" title={path}>
          {name}
          {model.revision !== null && <span className="text-muted"> @ {model.revision}</span>}
        </div>
        <Notes model={model} checked={checked} />
      </div>
      <Cell name={t('architecture')}>
        {model.architecture ?? '–'}
        {model.parameters !== null && (
          <span className="text-muted">
            {' · '}
            {format.parameters(model.parameters)} · {model.types[0]}
          </span>
        )}
      </Cell>
      <Cell name={t('size')}>{format.bytes(model.bytes)}</Cell>
      <Cell name={t('license')}>{model.license ?? <span className="text-muted">{t('unknown')}</span>}</Cell>
      <Cell name={t('template')}>
        {model.hasChatTemplate === null ? '–' : t(model.hasChatTemplate ? 'withTemplate' : 'withoutTemplate')}
      </Cell>
      <Cell name={t('runs')}>{isUsed ? format.count(runs.length) : '–'}</Cell>
      <div className="flex items-center justify-end gap-0.5">
        {place === 'cache' && !isWhole && (
          <Button
            className="h-7 px-2.5 text-[12.5px]"
            disabled={isOff || resume.isPending}
            onClick={() => resume.mutate()}
          >
            {t('resume')}
          </Button>
        )}
        {place === 'cache' && isWhole && (
          <IconButton label={t('check', { name })} disabled={isOff} onClick={() => check.mutate()}>
            <ShieldCheck className="size-4" />
          </IconButton>
        )}
        {place === 'cache' && (
          <IconButton
            label={t('remove', { name })}
            title={isUsed ? t('used') : undefined}
            disabled={isOff || isUsed}
            onClick={onRemove}
          >
            <Trash2 className="size-4" />
          </IconButton>
        )}
      </div>
    </li>
  );
}

/** Of the runs that began with a model, the newest. */
const mostLinks = 3;

function Notes({ model, checked }: { model: LocalModel; checked: JobOf<'checkModel'> | undefined }) {
  const t = useTranslations('models');
  const format = useFormat();
  const damaged = checked?.result?.files.filter(({ isSame }) => !isSame).length ?? 0;
  return (
    <div className="grid gap-0.5 text-[12.5px]">
      {model.source !== null && (
        <p className="truncate text-muted">
          {t('sourceOf', { source: model.source, commit: model.commit?.slice(0, 10) ?? '' })}
        </p>
      )}
      {model.isCopy && <p className="text-warn">{t('copy')}</p>}
      {!model.isWhole && <p className="text-warn">{t('notWhole', { bytes: format.bytes(model.bytes) })}</p>}
      {model.error && (
        <p className="text-bad [overflow-wrap:anywhere]">
          <ProblemLine problem={model.error} />
        </p>
      )}
      {model.runs.length > 0 && (
        <p className="truncate text-muted">
          {t('usedBy')}{' '}
          {model.runs.slice(-mostLinks).map((key, index) => (
            <span key={key}>
              {index > 0 && ', '}
              <Link
                href={`/run?id=${encodeURIComponent(key)}`}
                className="underline-offset-2 hover:text-ink hover:underline"
              >
                {key.split('/').at(-1)}
              </Link>
            </span>
          ))}
          {model.runs.length > mostLinks && ` +${format.count(model.runs.length - mostLinks)}`}
        </p>
      )}
      {checked?.result && (
        <p className={damaged > 0 ? 'text-bad' : 'text-good'}>
          {damaged > 0 ? t('damaged', { count: damaged }) : t('checked')}
        </p>
      )}
    </div>
  );
}

function Cell({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="figures text-[13px] max-lg:flex max-lg:items-baseline max-lg:gap-2">
      <span className="label lg:hidden">{name}</span>
      <span className="min-w-0">{children}</span>
    </div>
  );
}
