'use client';
import { Binary } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { Button } from '../Button.tsx';

export function ShowTokens({ shown, onChange }: { shown: boolean; onChange: (shown: boolean) => void }) {
  const t = useTranslations('chat');
  return (
    <Button
      aria-pressed={shown}
      title={t('tokensHint')}
      onClick={() => onChange(!shown)}
      className="aria-pressed:border-ember aria-pressed:bg-ember-soft"
    >
      <Binary className="size-3.5" aria-hidden="true" />
      {t('tokens')}
    </Button>
  );
}
