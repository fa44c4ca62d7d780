'use client';
import { mostColumns } from '@anneal/core/protocol/chatTerms';
import type { Chattable, LoadedModel } from '@anneal/core/protocol/chattable';
import { useQuery } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket, useLatest } from '../../agent/hooks.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button, IconButton } from '../Button.tsx';
import { useFormat } from '../format.ts';
import { modelOf, nextModel } from './modelNames.ts';

/** Who answers: one model, or up to four beside each other. */
export function ModelColumns({
  chosen,
  models,
  onChange,
}: {
  chosen: readonly string[];
  models: readonly Chattable[];
  onChange: (chosen: string[]) => void;
}) {
  const t = useTranslations('chat');
  const loaded = useLatest<LoadedModel[]>((options) => agent().chat.loaded.subscribe(undefined, options));
  return (
    <div className="flex flex-wrap items-start gap-2">
      {chosen.map((id, column) => (
        <Column
          // Two columns may have the same model.
          key={`${column} ${id}`}
          id={id}
          number={column + 1}
          models={models}
          loaded={loaded}
          onChange={(next) => onChange(chosen.map((other, at) => (at === column ? next : other)))}
          onRemove={chosen.length > 1 ? () => onChange(chosen.filter((_, at) => at !== column)) : undefined}
        />
      ))}
      {chosen.length < mostColumns && (
        <Button title={t('addModelHint')} onClick={() => onChange([...chosen, nextModel(chosen, models)])}>
          <Plus className="size-3.5" aria-hidden="true" />
          {t('addModel')}
        </Button>
      )}
    </div>
  );
}

const selectClass =
  'h-7 min-w-0 max-w-full truncate rounded border-0 bg-transparent px-1.5 text-[13px] hover:bg-sunken';

function Column({
  id,
  number,
  models,
  loaded,
  onChange,
  onRemove,
}: {
  id: string;
  number: number;
  models: readonly Chattable[];
  loaded: readonly LoadedModel[] | undefined;
  onChange: (id: string) => void;
  onRemove: (() => void) | undefined;
}) {
  const t = useTranslations('chat');
  const { model, variant } = modelOf(id, models);
  return (
    <div className="min-w-0 rounded-md border border-line bg-surface max-sm:w-full">
      <div className="flex max-w-full items-center p-0.5">
        <select
          aria-label={t('model', { number })}
          value={model?.id ?? ''}
          onChange={(event) => onChange(event.target.value)}
          className={`${selectClass} grow font-medium sm:w-36`}
        >
          {!model && <option value="">{id}</option>}
          {(['run', 'file', 'pulled'] as const).map((kind) => (
            <Group key={kind} label={t(`kind.${kind}`)} models={models.filter((other) => other.kind === kind)} />
          ))}
        </select>
        {model?.kind === 'run' && (
          <select
            aria-label={t('checkpoint', { number })}
            value={variant ?? ''}
            onChange={(event) => onChange(event.target.value === '' ? model.id : `${model.id}@${event.target.value}`)}
            className={`${selectClass} w-38 shrink-0 text-muted`}
          >
            <Variants model={model} variant={variant} />
          </select>
        )}
        {onRemove && (
          <IconButton label={t('removeModel', { number })} onClick={onRemove} className="size-7 shrink-0">
            <X className="size-3.5" />
          </IconButton>
        )}
      </div>
      {model && <Memory id={id} base={variant === 'base' ? model.id : undefined} loaded={loaded} />}
    </div>
  );
}

function Group({ label, models }: { label: string; models: readonly Chattable[] }) {
  const format = useFormat();
  if (models.length === 0) return null;
  return (
    <optgroup label={label}>
      {models.map(({ id, name, kind, created }) => (
        <option key={id} value={id}>
          {kind === 'run' ? `${name} · ${format.time(created)}` : id}
        </option>
      ))}
    </optgroup>
  );
}

function Variants({ model, variant }: { model: Chattable; variant: string | null }) {
  const t = useTranslations('chat');
  const steps = model.checkpoints.toReversed();
  const known = ['', 'base', 'best', 'latest', ...steps.map(String)];
  return (
    <>
      <option value="">{t('tuned')}</option>
      {model.hasBase && <option value="base">{t('base')}</option>}
      {model.best !== null && <option value="best">{t('best', { step: model.best })}</option>}
      <option value="latest">{t('latest')}</option>
      {steps.map((step) => (
        <option key={step} value={step}>
          {t('step', { step })}
        </option>
      ))}
      {variant !== null && !known.includes(variant) && <option value={variant}>{variant}</option>}
    </>
  );
}

/** What it takes of the memory: before it is loaded, and while it is. */
function Memory({
  id,
  base,
  loaded,
}: {
  id: string;
  /** Of what a run began with: the run, with which it is one loaded model. */
  base: string | undefined;
  loaded: readonly LoadedModel[] | undefined;
}) {
  const t = useTranslations('chat');
  const format = useFormat();
  const mayUnload = useMay('editor');
  const now = loaded?.find(({ model }) => model === id || model === base || (base && model.startsWith(`${base}@`)));
  const enabled = useHasSocket() && loaded !== undefined && !now;
  const { data, error } = useQuery({
    queryKey: ['chat-memory', id],
    queryFn: () => agent().chat.memory.query({ model: id }),
    enabled,
    staleTime: 60_000,
  });
  const isTooMuch = !now && data && data.bytes > data.available;
  const text = now
    ? now.state === 'loading'
      ? t('loadingModel', { percent: Math.round((100 * now.loaded) / Math.max(1, now.total)) })
      : t('loaded', { bytes: now.bytes === null ? '' : format.bytes(now.bytes) })
    : data
      ? t('takes', { bytes: format.bytes(data.bytes), available: format.bytes(data.available) })
      : error
        ? t('unknownMemory')
        : t('measuring');
  return (
    <p
      className={`figures flex items-center gap-1.5 border-line border-t px-2 py-0.5 text-[11.5px] ${isTooMuch ? 'text-bad' : 'text-muted'}`}
    >
      <span className={`size-1.5 rounded-full ${now?.state === 'ready' ? 'bg-good' : now ? 'bg-ember' : 'bg-faint'}`} />
      {text}
      {mayUnload && now?.state === 'ready' && !now.answering && (
        <button
          type="button"
          title={t('unloadHint')}
          onClick={() => agent().chat.unload.mutate({ model: now.model })}
          className="ml-auto rounded px-1 hover:bg-sunken hover:text-ink"
        >
          {t('unload')}
        </button>
      )}
    </p>
  );
}
