'use client';
import { useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { Button } from '../../Button.tsx';
import type { LiveState } from './liveRecipe.ts';

const noticeMilliseconds = 10_000;

/** Whether what is written is safe, and what has happened to the file from outside. */
export function EditingState({ state, openAnew }: { state: LiveState; openAnew: () => void }) {
  const t = useTranslations('recipes');
  const wasMerged = useNotice(state.file.merged);
  if (state.stage === 'refused') {
    return (
      <div role="alert" className="flex flex-wrap items-center gap-x-3 gap-y-1 text-[12.5px]">
        <span className="text-bad">{t('gone')}</span>
        <Button className="h-7 px-2.5 text-[12.5px]" onClick={openAnew}>
          {t('openAnew')}
        </Button>
      </div>
    );
  }
  const saving = !state.isUnsent && state.file.file === 'written' ? 'saved' : 'saving';
  const trouble = state.isAway && state.stage === 'open' ? t('away') : troubleOf(state, t);
  return (
    <div role="status" className="min-w-0 text-[12.5px]">
      {trouble ? (
        <span className="text-warn">{trouble}</span>
      ) : (
        <span className="text-muted">
          {t(state.stage === 'opening' ? 'opening' : state.isReadOnly ? 'readOnly' : saving)}
          {wasMerged && <span className="text-ink"> · {t('merged')}</span>}
        </span>
      )}
    </div>
  );
}

function troubleOf({ file }: LiveState, t: ReturnType<typeof useTranslations<'recipes'>>): string | undefined {
  if (file.file === 'missing') return t('missing');
  return file.error ? `${file.error.what}. ${file.error.next ?? ''}` : undefined;
}

/** Stays true for a while after it was. */
function useNotice(isNow: boolean): boolean {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (isNow) setShown(true);
  }, [isNow]);
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => setShown(false), noticeMilliseconds);
    return () => clearTimeout(timer);
  }, [shown]);
  return shown;
}
