'use client';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { useTranslations } from 'use-intl';

/** The tags that there are, of which one can be chosen. */
export function TagFilter({
  runs,
  tag,
  onTag,
}: {
  runs: readonly ListedRun[];
  tag: string | null;
  onTag: (tag: string | null) => void;
}) {
  const t = useTranslations('remarks');
  const tags = new Set(runs.flatMap((run) => run.tags));
  // One that a link names is shown, though no run has it any more.
  if (tag !== null) tags.add(tag);
  if (tags.size === 0) return null;
  return (
    <fieldset className="mb-4 flex flex-wrap items-center gap-2 text-[12.5px]">
      <legend className="sr-only">{t('filter')}</legend>
      {[...tags].sort().map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === tag}
          onClick={() => onTag(one === tag ? null : one)}
          className="rounded-full border border-line bg-surface px-2.5 py-0.5 transition-colors hover:border-faint aria-pressed:border-transparent aria-pressed:bg-ink aria-pressed:text-paper"
        >
          {one}
        </button>
      ))}
    </fieldset>
  );
}
