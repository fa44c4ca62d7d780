'use client';
import type { HostNow } from '@anneal/core/protocol/studio';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';

/** The models that are in memory to be talked to. */
export function LoadedModels({ models }: { models: HostNow['models'] }) {
  const t = useTranslations('host');
  const format = useFormat();
  if (models.length === 0) return null;
  return (
    <section aria-label={t('models')} className="rounded-lg border border-line bg-surface px-4 py-3">
      <h2 className="font-medium text-[13px]">{t('models')}</h2>
      <ul className="mt-1">
        {models.map(({ model, state, bytes, answering }) => (
          <li key={model} className="flex min-w-0 items-baseline gap-3 py-0.5 text-[13px]">
            <span className="min-w-0 truncate font-mono text-[12.5px]">{model}</span>
            <span className="shrink-0 text-muted">
              {t(answering ? 'answering' : state === 'loading' ? 'loadingModel' : 'ready')}
            </span>
            <span className="figures ml-auto shrink-0">{bytes === null ? '–' : format.bytes(bytes)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
