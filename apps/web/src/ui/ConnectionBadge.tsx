'use client';
import { useTranslations } from 'use-intl';
import { useAbout, useConnection } from '../agent/hooks.ts';

const colors = {
  open: 'bg-good',
  checking: 'bg-faint',
  connecting: 'bg-faint',
  lost: 'bg-warn animate-breathe',
  unpaired: 'bg-faint',
} as const;

/** Whether what one sees is live, and of which machine. */
export function ConnectionBadge() {
  const t = useTranslations('connection');
  const connection = useConnection();
  const about = useAbout();
  return (
    <div role="status" data-connection={connection} className="contents">
      <div
        // Another text is another box at the right edge: none is moved.
        key={`${connection} ${about?.host}`}
        title={about ? `${about.host}:${about.workspace}` : undefined}
        className="flex items-center gap-2 whitespace-nowrap px-1.5 text-[12.5px] text-muted"
      >
        <span className={`size-2 rounded-full ${colors[connection]}`} aria-hidden="true" />
        {/* On a phone the screens need the room: a word stands there when something is wrong. */}
        <span className={connection === 'open' ? 'max-sm:sr-only' : ''}>{t(connection)}</span>
        {about && connection === 'open' && <span className="max-w-48 truncate max-md:hidden">· {about.host}</span>}
      </div>
    </div>
  );
}
