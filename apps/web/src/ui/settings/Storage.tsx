'use client';
import type { StudioStorageItem } from '@anneal/core/protocol/storage';
import { type StorageKind, storageKinds } from '@anneal/core/protocol/storageKinds';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ChevronRight, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button, IconButton } from '../Button.tsx';
import { Confirm } from '../Confirm.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { Card } from './Card.tsx';

const sumOf = (items: readonly StudioStorageItem[]): number => items.reduce((sum, { bytes }) => sum + bytes, 0);

/** What takes room on the disk of the agent: chosen by item, and given back once it is confirmed. */
export function Storage() {
  const t = useTranslations('storage');
  const format = useFormat();
  const queries = useQueryClient();
  const enabled = useHasSocket();
  const may = useMay('operator');
  const isAway = useConnection() !== 'open';
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asking, setAsking] = useState(false);
  const { data: survey, error } = useQuery({
    queryKey: ['storage'],
    queryFn: () => agent().storage.survey.query(),
    enabled,
  });
  const refresh = () => {
    setChosen(new Set());
    return queries.invalidateQueries({ queryKey: ['storage'] });
  };
  const clean = useMutation({
    mutationFn: (items: string[]) => agent().storage.clean.mutate({ items }),
    onSettled: refresh,
  });
  const restore = useMutation({
    mutationFn: (run: string) => agent().runs.restore.mutate({ run }),
    onSettled: refresh,
  });
  const selected = survey?.items.filter(({ id }) => chosen.has(id)) ?? [];
  const choose = (items: readonly StudioStorageItem[], isChosen: boolean) => {
    const next = new Set(chosen);
    for (const { id } of items) {
      if (isChosen) next.add(id);
      else next.delete(id);
    }
    setChosen(next);
  };
  const failure = error ?? clean.error ?? restore.error;
  return (
    <Card title={t('title')} {...(survey && { text: t('free', { bytes: format.bytes(survey.free) }) })}>
      {failure && <ErrorNote error={shownError(failure)} />}
      {clean.data && (
        <p role="status" className="mb-2 text-[13px]">
          {t('freed', { bytes: format.bytes(clean.data.freed) })}
        </p>
      )}
      {clean.data?.kept.map(({ item, error: why }) => (
        <ErrorNote key={item.id} error={why} />
      ))}
      {!survey && !error && (
        <p className="text-[13px] text-muted" role="status">
          {t('looking')}…
        </p>
      )}
      {survey?.items.length === 0 && <p className="text-[13px] text-muted">{t('nothing')}</p>}
      <div className="divide-y divide-line">
        {survey &&
          storageKinds.map((kind) => (
            <Kind
              key={kind}
              kind={kind}
              items={survey.items.filter((item) => item.kind === kind)}
              chosen={chosen}
              onChoose={may ? choose : undefined}
              onRestore={may && !isAway ? (key) => restore.mutate(key) : undefined}
            />
          ))}
      </div>
      {may && survey && (
        <div className="mt-3 flex flex-wrap items-center gap-3 border-line border-t pt-3">
          <Button
            look="danger"
            disabled={isAway || selected.length === 0 || clean.isPending}
            onClick={() => setAsking(true)}
          >
            {t(clean.isPending ? 'cleaning' : 'clean', { bytes: format.bytes(sumOf(selected)) })}
          </Button>
          <Button disabled={isAway} onClick={() => void refresh()}>
            {t('again')}
          </Button>
        </div>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t('clean', { bytes: format.bytes(sumOf(selected)) })}
        text={t('confirm', { count: selected.length })}
        action={t('confirmAction')}
        onConfirm={() => clean.mutate(selected.map(({ id }) => id))}
      />
    </Card>
  );
}

function Kind({
  kind,
  items,
  chosen,
  onChoose,
  onRestore,
}: {
  kind: StorageKind;
  items: readonly StudioStorageItem[];
  chosen: ReadonlySet<string>;
  onChoose: ((items: readonly StudioStorageItem[], isChosen: boolean) => void) | undefined;
  onRestore: ((key: string) => void) | undefined;
}) {
  const t = useTranslations('storage');
  const format = useFormat();
  if (items.length === 0) return null;
  const removable = items.filter((item) => item.removable);
  return (
    <details className="group py-1.5 text-[13px]">
      <summary className="flex min-h-7 cursor-pointer items-center gap-1.5">
        <ChevronRight className="size-3.5 shrink-0 text-muted group-open:rotate-90" aria-hidden="true" />
        <span className="min-w-0">
          <span className="font-medium">{t(`kind.${kind}`)}</span>{' '}
          <span className="text-[12.5px] text-muted max-sm:hidden">{t(`text.${kind}`)}</span>
        </span>
        <span className="figures ml-auto whitespace-nowrap">{format.bytes(sumOf(items))}</span>
      </summary>
      <p className="text-[12.5px] text-muted sm:hidden">{t(`text.${kind}`)}</p>
      {onChoose && removable.length > 1 && (
        <Choice
          label={t('all')}
          bytes={sumOf(removable)}
          isChosen={removable.every(({ id }) => chosen.has(id))}
          onChoose={(isChosen) => onChoose(removable, isChosen)}
        />
      )}
      <ul className="max-h-72 overflow-y-auto">
        {items.map((item) => (
          <li key={item.id} className="flex items-center">
            <Choice
              label={kind === 'prepared' ? t('entries', { count: Number(item.name) }) : item.name}
              bytes={item.bytes}
              isChosen={chosen.has(item.id)}
              onChoose={onChoose && item.removable ? (isChosen) => onChoose([item], isChosen) : undefined}
            />
            {item.restores !== null && (
              <IconButton
                label={t('restore', { name: item.name })}
                disabled={!onRestore}
                onClick={() => item.restores !== null && onRestore?.(item.restores)}
              >
                <Undo2 className="size-3.5" />
              </IconButton>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Choice({
  label,
  bytes,
  isChosen,
  onChoose,
}: {
  label: string;
  bytes: number;
  isChosen: boolean;
  onChoose: ((isChosen: boolean) => void) | undefined;
}) {
  const format = useFormat();
  return (
    <label className="flex min-h-7 min-w-0 grow items-center gap-2 pl-5">
      <input
        type="checkbox"
        className="accent-ember disabled:invisible"
        checked={isChosen}
        disabled={!onChoose}
        onChange={(event) => onChoose?.(event.target.checked)}
      />
      <span className="min-w-0 truncate">{label}</span>
      <span className="figures ml-auto whitespace-nowrap text-muted">{format.bytes(bytes)}</span>
    </label>
  );
}
