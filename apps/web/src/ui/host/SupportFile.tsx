'use client';
import { useMutation } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection } from '../../agent/hooks.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';

/** What `anneal doctor --bundle` writes, as a download. */
export function SupportFile() {
  const t = useTranslations('host');
  const isAway = useConnection() !== 'open';
  const may = useMay('operator');
  const make = useMutation({
    mutationFn: () => agent().host.support.query({}),
    onSuccess: (support) => {
      const url = URL.createObjectURL(new Blob([JSON.stringify(support, null, 2)], { type: 'application/json' }));
      const link = document.createElement('a');
      link.href = url;
      link.download = `anneal-support-${support.made.slice(0, 10)}.json`;
      link.click();
      URL.revokeObjectURL(url);
    },
  });
  if (!may) return null;
  return (
    <div className="mt-3 grid gap-2 border-line border-t pt-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <Button className="h-7 px-2.5 text-[12.5px]" disabled={isAway || make.isPending} onClick={() => make.mutate()}>
          <Download className="size-3.5" aria-hidden="true" />
          {t(make.isPending ? 'supportMaking' : 'support')}
        </Button>
        <span className="text-[12.5px] text-muted">{t('supportText')}</span>
      </div>
      {make.error && <ErrorNote error={shownError(make.error)} />}
    </div>
  );
}
