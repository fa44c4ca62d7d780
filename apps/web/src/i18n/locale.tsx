'use client';
/** The language of this browser's user: as chosen here, else as the browser wishes. */
import { type ContextType, type ReactNode, useEffect, useLayoutEffect, useState, useSyncExternalStore } from 'react';
import { IntlProvider } from 'use-intl';
import { createStore } from '../agent/store.ts';
import { en, type Messages } from './en/index.ts';
import { type ProblemTexts, ProblemTextsContext } from './problems.tsx';
import { SightTextsContext } from './sights.tsx';

export const locales = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Locale = keyof typeof locales;

/** English comes with every page; the others are fetched by those who read them. */
const loaders: Readonly<Record<Exclude<Locale, 'en'>, () => Promise<Texts>>> = {
  'zh-CN': async () => {
    const { zhCN, problems, findings, sights, unseen, checks } = await import('./zhCN/index.ts');
    return { messages: zhCN, problems: { ...problems, ...findings }, seen: { sights, unseen, checks } };
  },
};

interface Texts {
  messages: Messages;
  problems: ProblemTexts;
  seen: ContextType<typeof SightTextsContext>;
}

const english: Texts & { locale: Locale } = { locale: 'en', messages: en, problems: null, seen: null };

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
  const chosen = useLocale();
  const [loaded, setLoaded] = useState(english);
  const [isComing, setComing] = useState(false);
  // Nobody sees a first page in one language turn into another.
  useLayoutEffect(() => setComing(current() !== 'en'), []);
  useEffect(() => {
    // While the page is taken over from its file, everybody reads English for a moment.
    if (chosen === 'en') return setComing(current() !== 'en');
    let isWanted = true;
    const show = (texts: Texts) => isWanted && setLoaded({ locale: chosen, ...texts });
    const end = () => setComing(false);
    // Without the agent the page stays as it is, and says elsewhere that the agent is away.
    void loaders[chosen]()
      .then(show, () => undefined)
      .finally(end);
    return () => {
      isWanted = false;
    };
  }, [chosen]);
  const { locale, messages, problems, seen } = loaded.locale === chosen ? loaded : english;
  useEffect(() => {
    document.documentElement.lang = locale;
  }, [locale]);
  return (
    <IntlProvider locale={locale} messages={messages} timeZone={timeZone()}>
      <ProblemTextsContext value={problems}>
        <SightTextsContext value={seen}>
          <div className={isComing ? 'invisible' : 'contents'}>{children}</div>
        </SightTextsContext>
      </ProblemTextsContext>
    </IntlProvider>
  );
}

function current(): Locale {
  const chosen = store.read.get() ?? localStorage.getItem(storageKey);
  if (chosen && chosen in locales) return chosen as Locale;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
