'use client';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { Search } from 'lucide-react';
import Link from 'next/link';
import { parseAsString, useQueryState } from 'nuqs';
import { useDeferredValue, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useCalledAs, useRunList } from '../src/agent/hooks.ts';
import { buttonClass } from '../src/ui/Button.tsx';
import { Command } from '../src/ui/Command.tsx';
import { CompareSelected } from '../src/ui/compare/CompareSelected.tsx';
import { Empty } from '../src/ui/Empty.tsx';
import { RunTable } from '../src/ui/RunTable.tsx';
import { DeletedRun } from '../src/ui/run/DeletedRun.tsx';
import { TagFilter } from '../src/ui/TagFilter.tsx';
import { useRowKeys } from '../src/ui/useRowKeys.ts';

const active: ReadonlySet<ListedRun['state']> = new Set(['created', 'queued', 'preparing', 'running']);

export default function RunsScreen() {
  const t = useTranslations('runs');
  const states = useTranslations('state');
  const runs = useRunList();
  const anneal = useCalledAs();
  const [filter, setFilter] = useQueryState('q', parseAsString.withDefault(''));
  const [tag, setTag] = useQueryState('tag', parseAsString);
  const [deleted, setDeleted] = useQueryState('deleted', parseAsString);
  const wanted = useDeferredValue(filter.trim().toLowerCase());
  const shown = runs?.filter(
    (run) =>
      (tag === null || run.tags.includes(tag)) &&
      [run.key, run.name, run.baseModel, run.state, states(run.state), run.note?.text, ...run.tags].some((text) =>
        text?.toLowerCase().includes(wanted),
      ),
  );
  const now = shown?.filter((run) => active.has(run.state)) ?? [];
  const earlier = shown?.filter((run) => !active.has(run.state)) ?? [];
  const search = useRowKeys();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const selected = runs?.filter(({ key }) => chosen.has(key)).map(({ key }) => key) ?? [];
  const select = (key: string, isSelected: boolean) => {
    const next = new Set(chosen);
    if (isSelected) next.add(key);
    else next.delete(key);
    setChosen(next);
  };
  return (
    <>
      <title>{`${t('title')} · Anneal`}</title>
      <div className="mb-5 flex flex-wrap items-center gap-x-4 gap-y-3">
        <h1 className="font-semibold text-[22px] leading-8 tracking-[-0.015em]">{t('title')}</h1>
        {runs && runs.length > 0 && (
          <span className="figures mt-1 text-muted">{t('count', { count: runs.length })}</span>
        )}
        <CompareSelected selected={selected} onClear={() => setChosen(new Set())} />
        {runs && runs.length > 0 && (
          <label className="relative ml-auto w-full sm:w-72">
            <span className="sr-only">{t('filter')}</span>
            <Search className="absolute top-2 left-2.5 size-4 text-muted" aria-hidden="true" />
            <input
              ref={search}
              type="search"
              value={filter}
              onChange={(event) => setFilter(event.target.value || null)}
              placeholder={t('filter')}
              className="h-8 w-full rounded-md border border-line bg-surface pr-8 pl-8 text-[13px] placeholder:text-muted"
            />
            <kbd
              className="absolute top-1.5 right-2 rounded pointer-coarse:hidden border border-line px-1 font-mono text-[11px] text-muted"
              aria-hidden="true"
            >
              /
            </kbd>
          </label>
        )}
      </div>
      {runs && <TagFilter runs={runs} tag={tag} onTag={(next) => void setTag(next)} />}
      {deleted !== null && <DeletedRun key={deleted} run={deleted} onClose={() => void setDeleted(null)} />}
      {runs === undefined && (
        <p className="text-muted" role="status">
          {t('loading')}…
        </p>
      )}
      {runs?.length === 0 && (
        <Empty title={t('empty')}>
          <p>{t('emptyText')}</p>
          <Command>{`${anneal} init my-first && ${anneal} train my-first/recipe.yaml`}</Command>
          <Link href="/recipes" className={buttonClass('primary')}>
            {t('emptyAction')}
          </Link>
        </Empty>
      )}
      {runs && runs.length > 0 && shown?.length === 0 && (
        <Empty title={t('noMatch', { filter: [filter, tag].filter(Boolean).join(' · ') })} />
      )}
      <div className="grid gap-8">
        {now.length > 0 && <RunTable title={t('now')} runs={now} selected={chosen} onSelect={select} />}
        {earlier.length > 0 && <RunTable title={t('earlier')} runs={earlier} selected={chosen} onSelect={select} />}
      </div>
    </>
  );
}
