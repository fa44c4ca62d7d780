'use client';
import { nameWithoutSeed, type SeedGroup } from '@anneal/core/protocol/seedGroups';
import { useTranslations } from 'use-intl';
import type { ComparedRun } from '../../agent/useComparison.ts';
import { SpreadFigure } from './SpreadFigure.tsx';

/** A line for each recipe that was trained with several seeds. */
export function SeedResults({ runs, groups }: { runs: readonly ComparedRun[]; groups: readonly SeedGroup[] }) {
  const t = useTranslations('seeds');
  const compare = useTranslations('compare');
  return (
    <div className="overflow-x-auto rounded-lg border border-line bg-surface">
      <table className="w-full text-[13px]">
        <caption className="sr-only">{t('title')}</caption>
        <thead>
          <tr className="border-line border-b text-left">
            <th className="label min-w-40 px-3 py-2">{t('group')}</th>
            {(['loss', 'validationLoss', 'bestValidationLoss'] as const).map((column) => (
              <th key={column} className="label px-3 py-2 text-right">
                {compare(`columns.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {groups.map((group) => (
            <tr key={group.runs.join()}>
              <td className="px-3 py-2">
                {nameWithoutSeed((runs[group.runs[0] as number] as ComparedRun).run)}{' '}
                <span className="figures text-muted">
                  {t('seeds', { seeds: group.runs.map((at) => runs[at]?.run.seed ?? '–').join(', ') })}
                </span>
              </td>
              {([group.loss, group.validationLoss, group.bestValidationLoss] as const).map((spread, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a column each
                <td key={at} className="figures whitespace-nowrap px-3 py-2 text-right">
                  <SpreadFigure of={spread} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
