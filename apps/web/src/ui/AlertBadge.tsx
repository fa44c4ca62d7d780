'use client';
import type { Alert } from '@anneal/core/protocol/alerts';
import { openAlerts } from '@anneal/core/protocol/openAlerts';
import { TriangleAlert } from 'lucide-react';
import { useTranslations } from 'use-intl';

/** How many alerts of a run nobody has looked at. */
export function AlertBadge({ alerts }: { alerts: readonly Alert[] }) {
  const t = useTranslations('alert');
  const open = openAlerts(alerts);
  if (open.length === 0) return null;
  const kinds = [...new Set(open.map(({ code }) => t(`kinds.${code}`)))].join(', ');
  const text = t('badge', { count: open.length, kinds });
  return (
    <span
      title={text}
      className="figures inline-flex items-center gap-1 rounded-full bg-warn-soft px-1.5 py-px text-[12px] text-warn"
    >
      <TriangleAlert className="size-3" aria-hidden="true" />
      <span aria-hidden="true">{open.length}</span>
      <span className="sr-only">{text}</span>
    </span>
  );
}
