'use client';
import type { PairingCode } from '@anneal/core/protocol/people';
import { useTranslations } from 'use-intl';
import { agentPath } from '../../agent/paths.ts';
import { Command } from '../Command.tsx';
import { useFormat } from '../format.ts';

/** A link that pairs one browser: by the way on which this one has come. */
export function PairingLink({ code, name }: { code: PairingCode; name?: string | undefined }) {
  const t = useTranslations('access');
  const format = useFormat();
  return (
    <div role="status" className="grid min-w-0 gap-1.5">
      <Command>{`${location.origin}${agentPath('/pair')}#${code.code}`}</Command>
      <p className="text-[12.5px] text-muted">
        {name === undefined
          ? t('linkText', { time: format.time(code.until) })
          : t('invitationText', { name, time: format.time(code.until) })}
      </p>
    </div>
  );
}
