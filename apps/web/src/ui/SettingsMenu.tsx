'use client';
import { Settings2 } from 'lucide-react';
import Link from 'next/link';
import { useTheme } from 'next-themes';
import { Popover } from 'radix-ui';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { useAbout } from '../agent/hooks.ts';
import { useMe } from '../agent/useMe.ts';
import { chooseLocale, type Locale, locales, useLocale } from '../i18n/locale.tsx';
import { IconButton } from './Button.tsx';
import { Segmented } from './Segmented.tsx';

export function SettingsMenu() {
  const t = useTranslations('settings');
  const { theme = 'system', setTheme } = useTheme();
  const locale = useLocale();
  const about = useAbout();
  const access = useTranslations('access');
  const roles = useTranslations('access.role');
  const me = useMe();
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <IconButton label={`${t('language')}, ${t('theme')}`}>
          <Settings2 className="size-4" />
        </IconButton>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={12}
          aria-label={`${t('language')}, ${t('theme')}`}
          className="z-30 grid w-76 gap-3 rounded-lg border border-line bg-surface p-3.5 shadow-black/8 shadow-lg"
        >
          <Row label={t('language')}>
            <Segmented
              label={t('language')}
              value={locale}
              onChange={(value) => chooseLocale(value as Locale)}
              options={Object.entries(locales).map(([value, name]) => ({ value, name, lang: value }))}
            />
          </Row>
          <Row label={t('theme')}>
            <Segmented
              label={t('theme')}
              value={theme}
              onChange={setTheme}
              options={(['light', 'dark', 'system'] as const).map((value) => ({ value, name: t(value) }))}
            />
          </Row>
          <p className="flex items-baseline gap-2 border-line border-t pt-3 text-[13px]">
            {me && (
              <span className="min-w-0 truncate">
                <span className="font-medium">{me.name}</span>
                <span className="text-muted"> · {roles(me.role)}</span>
              </span>
            )}
            <Popover.Close asChild>
              <Link href="/settings" className="ml-auto shrink-0 underline underline-offset-2">
                {access('more')}
              </Link>
            </Popover.Close>
          </p>
          {about && (
            <p className="border-line border-t pt-3 text-[12px] text-muted [overflow-wrap:anywhere]">
              Anneal {about.version} · {about.host}
              <br />
              <span className="font-mono text-[11.5px]">{about.workspace}</span>
            </p>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="grid gap-1">
      <span className="label">{label}</span>
      {children}
    </div>
  );
}
