'use client';
import dynamic from 'next/dynamic';
import { parseAsStringLiteral, useQueryState } from 'nuqs';
import { Tabs } from 'radix-ui';
import { useEffect, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { runTabs as tabs } from '../../agent/addressValues.ts';
import { fetchPart } from '../../agent/fetchPart.ts';
import type { LiveRun, RunFacts } from '../../agent/liveRun.ts';
import { useStore } from '../../agent/useLiveRun.ts';
import { Events } from './Events.tsx';
import { MemoryParts } from './MemoryParts.tsx';
import { Output } from './Output.tsx';
import { RunRecipe } from './RunRecipe.tsx';
import { Samples } from './Samples.tsx';

/** Loaded when somebody looks at it: the page of a run is opened to watch it. */
const Exports = dynamic(async () => (await fetchPart(() => import('./exports/Exports.tsx'))).Exports, { ssr: false });

const Doctor = dynamic(async () => (await fetchPart(() => import('./Doctor.tsx'))).Doctor, { ssr: false });

export function RunDetails({ live, run }: { live: LiveRun; run: RunFacts }) {
  const t = useTranslations('run');
  const [tab, setTab] = useQueryState('tab', parseAsStringLiteral(tabs).withDefault('samples'));
  const details = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [isSought] = useState(() => location.hash === '#details');
  const hasSteps = useStore(live.hasSteps);
  // A link to it is followed once the charts above it have their place.
  useEffect(() => {
    if (hasSteps !== undefined && isSought) details.current?.scrollIntoView();
  }, [hasSteps, isSought]);
  // On a phone the list of tabs is wider than the page: the one that is open is seen there.
  useEffect(() => {
    const open = list.current?.querySelector<HTMLElement>(`[data-tab="${tab}"]`);
    if (open && list.current)
      list.current.scrollLeft = open.offsetLeft + (open.offsetWidth - list.current.clientWidth) / 2;
  }, [tab]);
  return (
    <Tabs.Root
      id="details"
      ref={details}
      value={tab}
      onValueChange={(value) => void setTab(value as (typeof tabs)[number])}
      className={`scroll-mt-16 overflow-hidden rounded-lg border border-line bg-surface ${isSought ? 'min-h-dvh' : ''}`}
    >
      <Tabs.List
        ref={list}
        aria-label={run.name}
        className="relative flex gap-1 overflow-x-auto border-line border-b px-2"
      >
        {tabs.map((name) => (
          <Tabs.Trigger
            key={name}
            value={name}
            data-tab={name}
            className="relative h-10 whitespace-nowrap px-2.5 text-[13px] text-muted transition-colors hover:text-ink focus-visible:outline-offset-[-2px] data-[state=active]:font-medium data-[state=active]:text-ink data-[state=active]:after:absolute data-[state=active]:after:inset-x-2.5 data-[state=active]:after:bottom-0 data-[state=active]:after:h-0.5 data-[state=active]:after:bg-ember"
          >
            {t(name === 'memory' ? 'memoryTab' : name)}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      <Tabs.Content value="samples">
        <Samples live={live} />
      </Tabs.Content>
      <Tabs.Content value="doctor">
        <Doctor run={run} />
      </Tabs.Content>
      <Tabs.Content value="events">
        <Events live={live} />
      </Tabs.Content>
      <Tabs.Content value="output">
        <Output live={live} run={run} />
      </Tabs.Content>
      <Tabs.Content value="memory">
        <MemoryParts live={live} />
      </Tabs.Content>
      <Tabs.Content value="recipe">
        <RunRecipe run={run} />
      </Tabs.Content>
      <Tabs.Content value="exports">
        <Exports run={run} />
      </Tabs.Content>
    </Tabs.Root>
  );
}
