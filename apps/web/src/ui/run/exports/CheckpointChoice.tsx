'use client';
import type { StudioExportPlan } from '@anneal/core/protocol/exports';
import { useTranslations } from 'use-intl';
import { useFormat } from '../../format.ts';

/** Without a choice it is the one that the recipe asks for: the best, or the newest. */
export function CheckpointChoice({
  plan,
  value,
  onChange,
}: {
  plan: StudioExportPlan;
  value: string | null;
  onChange: (value: string) => void;
}) {
  const t = useTranslations('exports');
  const format = useFormat();
  const newest = plan.checkpoints.at(-1);
  const best = plan.checkpoints.find(({ isBest }) => isBest);
  return (
    <label className="grid gap-1">
      <span className="label">{t('checkpoint')}</span>
      <select
        value={value ?? String(plan.step)}
        onChange={(event) => onChange(event.target.value)}
        className="h-8 w-full rounded-md border border-line bg-surface px-2.5 text-[13px]"
      >
        {newest && <option value="latest">{t('newest', { step: format.count(newest.step) })}</option>}
        {best && <option value="best">{t('best', { step: format.count(best.step) })}</option>}
        {plan.checkpoints.toReversed().map(({ step, metric }) => (
          <option key={step} value={String(step)}>
            {metric === null
              ? t('step', { step: format.count(step) })
              : t('stepWithLoss', { step: format.count(step), loss: format.number(metric) })}
          </option>
        ))}
      </select>
    </label>
  );
}
