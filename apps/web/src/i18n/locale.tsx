'use client';
/** The language of this browser's user: as chosen here, else as the browser wishes. */
import { type ReactNode, useEffect, useSyncExternalStore } from 'react';
import { IntlProvider } from 'use-intl';
import { createStore } from '../agent/store.ts';
import { en } from './en/index.ts';
import { zhCN } from './zhCN/index.ts';

export const locales = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Locale = keyof typeof locales;

const messages = { en, 'zh-CN': zhCN };
const storageKey = 'anneal-locale';
const store = createStore<Locale | undefined>(undefined);

export function chooseLocale(locale: Locale): void {
  localStorage.setItem(storageKey, locale);
  store.set(locale);
}

export function useLocale(): Locale {
  return useSyncExternalStore(store.read.subscribe, current, () => 'en');
}

export function LocaleProvider({ children }: { children: ReactNode }) {
  const locale = useLocale();
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  return (
    <IntlProvider locale={locale} messages={messages[locale]} timeZone={timeZone()}>
      {children}
    </IntlProvider>
  );
}

function current(): Locale {
  const chosen = store.read.get() ?? localStorage.getItem(storageKey);
  if (chosen && chosen in locales) return chosen as Locale;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
