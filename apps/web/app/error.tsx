'use client';
import { useTranslations } from 'use-intl';
import { Button } from '../src/ui/Button.tsx';
import { Empty } from '../src/ui/Empty.tsx';

/** Instead of a screen that could not be shown: a defect, or a page that is older than the agent. */
export default function BrokenScreen({ error }: { error: Error }) {
  const t = useTranslations('broken');
  return (
    <div role="alert">
      <Empty title={t('title')}>
        <p>{t('text')}</p>
        <p className="font-mono text-[12px] [overflow-wrap:anywhere]">{error.message}</p>
        <Button look="primary" onClick={() => location.reload()}>
          {t('reload')}
        </Button>
      </Empty>
    </div>
  );
}
