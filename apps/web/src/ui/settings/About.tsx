import { useAbout } from '../../agent/hooks.ts';
import { agentPath } from '../../agent/paths.ts';
import { about as en } from '../../i18n/en/about.ts';
import { type Locale, useLocale } from '../../i18n/locale.tsx';
import { about as zhCN } from '../../i18n/zhCN/about.ts';
import { Card } from './Card.tsx';

const texts: Readonly<Record<Locale, typeof en>> = { en, 'zh-CN': zhCN };

/** Which program this is, where it runs, and under which licenses. */
export function About() {
  const t = texts[useLocale()];
  const about = useAbout();
  const facts = [
    [t.version, about?.version],
    [t.host, about?.host],
    [t.folder, about?.workspace],
    [t.license, 'Apache-2.0'],
  ];
  return (
    <Card title={t.title} isComing={!about}>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-[13px]">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 text-[13px]">
        <a className="underline" href={agentPath('/licenses.txt')} target="_blank" rel="noreferrer">
          {t.licensesOfOthers}
        </a>
      </p>
    </Card>
  );
}
