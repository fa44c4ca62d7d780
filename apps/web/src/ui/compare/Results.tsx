'use client';
import type { RunComparison } from '@anneal/core/protocol/runs';
import { ArrowDown, ArrowUp } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import type { ComparedRun } from '../../agent/useComparison.ts';
import { useFormat } from '../format.ts';
import { StateBadge } from '../StateBadge.tsx';
import { Swatch } from './Legend.tsx';
import { namesAmong } from './lines.ts';

type Measures = RunComparison['runs'][number];
type Column =
  | 'steps'
  | 'loss'
  | 'validationLoss'
  | 'bestValidationLoss'
  | 'tokensPerSecond'
  | 'tokens'
  | 'milliseconds';

const columns: readonly Column[] = [
  'steps',
  'loss',
  'validationLoss',
  'bestValidationLoss',
  'tokensPerSecond',
  'tokens',
  'milliseconds',
];

/** How each run went, and how far that is from the one that is the baseline. */
export function Results({
  runs,
  baseline,
  onBaseline,
}: {
  runs: readonly ComparedRun[];
  baseline: string;
  onBaseline: (run: string) => void;
}) {
  const t = useTranslations('compare');
  const [sort, setSort] = useState<{ column: Column; descending: boolean } | null>(null);
  const base = runs.find(({ run }) => run.key === baseline)?.measures;
  const names = namesAmong(runs.map(({ run }) => run));
  const placed = runs.map((compared, at) => ({ ...compared, at }));
  const rows = sort ? placed.toSorted((a, b) => order(a.measures, b.measures, sort)) : placed;
  return (
    <div className="overflow-x-auto rounded-lg border border-line bg-surface">
      <table className="w-full text-[13px]">
        <caption className="sr-only">{t('results')}</caption>
        <thead>
          <tr className="border-line border-b text-left">
            <th className="label px-3 py-2">{t('baseline')}</th>
            <th className="label px-3 py-2">{t('run')}</th>
            <th className="label px-3 py-2">{t('state')}</th>
            {columns.map((column) => (
              <th
                key={column}
                aria-sort={sort?.column === column ? (sort.descending ? 'descending' : 'ascending') : 'none'}
                className="px-3 py-2 text-right"
              >
                <button
                  type="button"
                  className="label inline-flex items-center gap-1 whitespace-nowrap hover:text-ink"
                  onClick={() => setSort({ column, descending: sort?.column === column && !sort.descending })}
                >
                  {t(`columns.${column}`)}
                  {sort?.column === column &&
                    (sort.descending ? (
                      <ArrowDown className="size-3" aria-hidden="true" />
                    ) : (
                      <ArrowUp className="size-3" aria-hidden="true" />
                    ))}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map(({ run, measures, at }) => (
            <tr key={run.key}>
              <td className="px-3 py-2 text-center">
                <input
                  type="radio"
                  name="baseline"
                  aria-label={t('makeBaseline', { run: run.key })}
                  checked={run.key === baseline}
                  onChange={() => onBaseline(run.key)}
                  className="size-4 accent-ember"
                />
              </td>
              <td className="min-w-40 max-w-96 px-3 py-2">
                <Link
                  href={`/run?id=${encodeURIComponent(run.key)}`}
                  title={run.key}
                  className="inline-flex items-center gap-2 [overflow-wrap:anywhere] hover:underline"
                >
                  <Swatch at={at} />
                  {names[at]}
                </Link>
              </td>
              <td className="whitespace-nowrap px-3 py-2">
                <StateBadge run={run} />
              </td>
              {columns.map((column) => (
                <Figure key={column} column={column} value={measures[column]} base={base?.[column] ?? null} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Figure({ column, value, base }: { column: Column; value: number | null; base: number | null }) {
  const format = useFormat();
  const shown = (amount: number) =>
    column === 'milliseconds'
      ? format.span(amount / 1000)
      : column === 'steps' || column === 'tokens' || column === 'tokensPerSecond'
        ? format.count(amount)
        : format.number(amount);
  const difference = value === null || base === null ? 0 : value - base;
  return (
    <td className="figures whitespace-nowrap px-3 py-2 text-right align-top">
      {value === null ? '–' : shown(value)}
      {difference !== 0 && (
        <span className="block text-[12px] text-muted">
          {difference > 0 ? '+' : '−'}
          {shown(Math.abs(difference))}
        </span>
      )}
    </td>
  );
}

/** What was not measured comes last. */
function order(a: Measures, b: Measures, { column, descending }: { column: Column; descending: boolean }): number {
  const [left, right] = [a[column], b[column]];
  if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
  return descending ? right - left : left - right;
}
