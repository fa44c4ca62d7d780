'use client';
import type { RunFinding } from '@anneal/core/protocol/diagnoses';
import type { Unseen } from '@anneal/core/protocol/sights';
import { useQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { useTranslations } from 'use-intl';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import type { RunFacts } from '../../agent/liveRun.ts';
import { recipeOfRunQuery } from '../../agent/recipeOfRun.ts';
import { useDiagnosis } from '../../agent/useDiagnosis.ts';
import { useProblemText } from '../../i18n/problems.tsx';
import { useSightText, useUnseenText } from '../../i18n/sights.tsx';
import { Button, buttonClass } from '../Button.tsx';
import { CodeText } from '../CodeText.tsx';
import { Command } from '../Command.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { Progress } from '../Progress.tsx';

/** What looks wrong in the run, the worst first, and what to change. */
export function Doctor({ run }: { run: RunFacts }) {
  const t = useTranslations('doctorRun');
  const { progress, result, error, isLooking, look, cancel } = useDiagnosis(run.key);
  const isAway = useConnection() !== 'open';
  const goesOn = run.state === 'running' || run.state === 'preparing';
  return (
    <div className="grid gap-4 px-4 py-4 text-[13px]">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <p className="min-w-0 grow basis-60 text-muted" role="status">
          {isLooking ? t(isAway ? 'away' : (progress?.phase ?? 'begins')) : t(goesOn ? 'goesOn' : 'about')}
        </p>
        {isLooking ? (
          <Button className="h-7 px-2.5 text-[12.5px]" onClick={cancel}>
            {t('cancel')}
          </Button>
        ) : (
          <Button className="h-7 px-2.5 text-[12.5px]" disabled={isAway} onClick={look}>
            {t(result || error ? 'again' : 'look')}
          </Button>
        )}
      </div>
      {isLooking && progress?.phase === 'events' && (
        <Progress step={Math.floor(100 * progress.share)} total={100} active={true} />
      )}
      {error !== undefined && <ErrorNote error={shownError(error)} />}
      {result?.findings.length === 0 && <p className="font-medium text-good">{t('healthy')}</p>}
      {result && result.findings.length > 0 && (
        <ol className="grid gap-4" aria-label={t('findings', { count: result.findings.length })}>
          {result.findings.map((finding) => (
            <Finding key={finding.code} run={run} finding={finding} />
          ))}
        </ol>
      )}
      {result && result.unchecked.length > 0 && (
        <section aria-label={t('unchecked')} className="border-line border-t pt-3 text-muted">
          <h3 className="font-medium">{t('unchecked')}</h3>
          <ul className="list-disc pl-5">
            {result.unchecked.map((unseen) => (
              <Unchecked key={unseen.code} unseen={unseen} />
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Unchecked({ unseen }: { unseen: Unseen }) {
  const { what, why } = useUnseenText()(unseen);
  const problemText = useProblemText();
  // In English the reason is the problem's own words.
  const problem = why === unseen.why ? undefined : unseen.problem;
  return (
    <li>
      {what}: {why}
      {problem && ` – ${problemText(problem).what}`}
    </li>
  );
}

function Finding({ run, finding: { code, what, evidence, next, set } }: { run: RunFacts; finding: RunFinding }) {
  const t = useTranslations('doctorRun');
  const sightText = useSightText();
  const told = useProblemText()({ code, what, next });
  const settings = Object.entries(set);
  return (
    <li data-finding={code} className="grid gap-1 rounded-lg border border-line px-4 py-3 [overflow-wrap:anywhere]">
      <h3 className="font-semibold">
        <CodeText text={told.what} />
      </h3>
      <ul className="list-disc pl-5">
        {evidence.map((seen) => (
          <li key={seen.code}>
            <CodeText text={sightText(seen)} />
          </li>
        ))}
      </ul>
      {told.next && (
        <p>
          <CodeText text={told.next} />
        </p>
      )}
      {settings.length > 0 && (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-1.5 pt-1">
          <p className="label">{t('change')}</p>
          <pre className="overflow-x-auto rounded-md bg-sunken px-3 py-2 font-mono text-[12.5px]" tabIndex={0}>
            {settings.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join('\n')}
          </pre>
          <Command>{settings.map(([key, value]) => `--set '${key}=${JSON.stringify(value)}'`).join(' ')}</Command>
          <InEditor run={run} set={set} />
        </div>
      )}
    </li>
  );
}

/** To the run's recipe with the change proposed: it is made there, by whoever reads it. */
function InEditor({ run, set }: { run: RunFacts; set: RunFinding['set'] }) {
  const t = useTranslations('doctorRun');
  const hasSocket = useHasSocket();
  const { data, error } = useQuery({ ...recipeOfRunQuery(run.key), enabled: hasSocket });
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!data) return null;
  if (data.file === null) return <p className="text-[12.5px] text-muted">{t('noRecipe')}</p>;
  const query = new URLSearchParams({ recipe: data.file, change: JSON.stringify(set), run: run.key });
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Link href={`/recipes?${query}`} className={buttonClass()}>
        {t('inEditor')}
      </Link>
      {data.fileDiffers && <span className="text-[12.5px] text-muted">{t('differs', { recipe: data.file })}</span>}
    </div>
  );
}
