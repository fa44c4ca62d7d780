'use client';
import { ChevronLeft, MessagesSquare } from 'lucide-react';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { parseAsFloat, parseAsInteger, parseAsString, parseAsStringLiteral, useQueryState, useQueryStates } from 'nuqs';
import { useCallback, useEffect, useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { chatWith, isChattable } from '../../src/agent/chatWith.ts';
import { fetchPart } from '../../src/agent/fetchPart.ts';
import type { Range } from '../../src/agent/growingSeries.ts';
import type { LiveRun, RunFacts } from '../../src/agent/liveRun.ts';
import { useLiveRun, useStore } from '../../src/agent/useLiveRun.ts';
import { buttonClass } from '../../src/ui/Button.tsx';
import { xAxes } from '../../src/ui/charts/xAxis.ts';
import { Empty } from '../../src/ui/Empty.tsx';
import { ErrorNote, shownError } from '../../src/ui/ErrorNote.tsx';
import { Alerts } from '../../src/ui/run/Alerts.tsx';
import { Remarks } from '../../src/ui/run/Remarks.tsx';
import { RunActions } from '../../src/ui/run/RunActions.tsx';
import { RunFigures } from '../../src/ui/run/RunFigures.tsx';
import { WaitsFor } from '../../src/ui/run/WaitsFor.tsx';
import { StateBadge } from '../../src/ui/StateBadge.tsx';

const loadBody = () => fetchPart(() => import('../../src/ui/run/RunBody.tsx'));
const RunBody = dynamic(async () => (await loadBody()).RunBody, { ssr: false });

export default function RunScreen() {
  const t = useTranslations('run');
  const [key] = useQueryState('id', parseAsString.withDefault(''));
  return (
    <>
      <Link
        href="/"
        className="mb-3 -ml-1 inline-flex items-center gap-0.5 self-start text-[13px] text-muted hover:text-ink"
      >
        <ChevronLeft className="size-4" aria-hidden="true" />
        {t('back')}
      </Link>
      {key === '' ? (
        <Empty title={t('missing')}>
          <p>{t('missingText')}</p>
        </Empty>
      ) : (
        <OpenRun runKey={key} />
      )}
    </>
  );
}

/** What is shown of the run stands in the address, so that a link shows the same. */
function OpenRun({ runKey }: { runKey: string }) {
  const [{ from, to }, setRange] = useQueryStates({ from: parseAsInteger, to: parseAsInteger });
  const [smoothing, setSmoothing] = useQueryState('smoothing', parseAsFloat.withDefault(0.9));
  const [axis, setAxis] = useQueryState('x', parseAsStringLiteral(xAxes).withDefault('step'));
  const range = useMemo<Range>(() => (from === null || to === null ? null : [from, to]), [from, to]);
  const onRange = useCallback(
    (next: Range) => void setRange(next ? { from: next[0], to: next[1] } : { from: null, to: null }),
    [setRange],
  );
  const [{ step }, setStep] = useQueryStates(
    { step: parseAsInteger, document: parseAsInteger, token: parseAsInteger },
    { history: 'push' },
  );
  const onStep = useCallback(
    (next: number | null) => void setStep({ step: next, document: null, token: null }),
    [setStep],
  );
  const run = useLiveRun(runKey, { range, smoothing });
  // Both are on their way at the same time.
  useEffect(() => void loadBody().catch(() => undefined), []);
  if (!run) return null;
  return (
    <Shown
      run={run}
      alerts={(facts) => <Alerts run={facts} onStep={onStep} />}
      body={(facts) => (
        <RunBody
          run={run}
          facts={facts}
          range={range}
          onRange={onRange}
          smoothing={smoothing}
          onSmoothing={(value) => void setSmoothing(value)}
          axis={axis}
          onAxis={(value) => void setAxis(value)}
          step={step}
          onStep={onStep}
        />
      )}
    />
  );
}

/** The run beside what it began with. */
function ChatLink({ run }: { run: RunFacts }) {
  const t = useTranslations('run');
  return (
    <Link href={chatWith(run)} className={buttonClass()}>
      <MessagesSquare className="size-3.5" aria-hidden="true" />
      {t('chat')}
    </Link>
  );
}

interface ShownProps {
  run: LiveRun;
  alerts: (run: RunFacts) => React.ReactNode;
  body: (run: RunFacts) => React.ReactNode;
}

/** What it shows itself stays for many steps: with each of them the figures and the charts change alone. */
function Shown({ run, alerts, body }: ShownProps) {
  const t = useTranslations('run');
  const facts = useStore(run.facts);
  const error = useStore(run.error);
  if (error) return <ErrorNote title={t('notShown')} error={shownError(error)} />;
  if (!facts) return null;
  return (
    <article className="grid grid-cols-[minmax(0,1fr)] gap-5">
      <title>{`${facts.name} · Anneal`}</title>
      <header className="flex flex-wrap items-start gap-x-6 gap-y-3 max-sm:gap-x-2">
        <div className="min-w-0 grow max-sm:w-full">
          <div className="flex flex-wrap items-center gap-x-3">
            <h1 className="font-semibold text-[22px] leading-8 tracking-[-0.015em] [overflow-wrap:anywhere]">
              {facts.name}
            </h1>
            <StateBadge run={facts} />
          </div>
          <p className="font-mono text-[12px] text-muted [overflow-wrap:anywhere]">{facts.key}</p>
        </div>
        {isChattable(facts) && <ChatLink run={facts} />}
        <RunActions run={facts} />
      </header>
      <Remarks run={facts} />
      {facts.error && <ErrorNote title={t(facts.state === 'damaged' ? 'damaged' : 'failed')} error={facts.error} />}
      {facts.refusal && <ErrorNote title={t('refused')} error={facts.refusal} />}
      {facts.queued && facts.state === 'queued' && <WaitsFor run={facts.key} queued={facts.queued} />}
      {facts.state === 'interrupted' && (
        <p role="alert" className="rounded-lg border border-warn/30 bg-warn-soft px-4 py-3">
          {t('interrupted')}
        </p>
      )}
      {alerts(facts)}
      <RunFigures live={run} />
      {body(facts)}
    </article>
  );
}
