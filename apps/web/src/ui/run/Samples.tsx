'use client';
import type { EventOf } from '@anneal/core/protocol/events';
import { Slider } from 'radix-ui';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import type { LiveRun } from '../../agent/liveRun.ts';
import { useStore } from '../../agent/useLiveRun.ts';
import { useFormat } from '../format.ts';

type Sample = EventOf<'sample'>;

/** The same prompts, answered again and again: one step at a time, and by a slider from the first to the last. */
export function Samples({ live }: { live: LiveRun }) {
  const t = useTranslations('run');
  const format = useFormat();
  const happenings = useStore(live.happenings);
  const rl = useStore(live.facts)?.rl;
  const [chosen, setChosen] = useState<number>();
  const samples = (happenings ?? []).filter((event): event is Sample => event.type === 'sample');
  // A step that a later launch repeated has its answers twice: the later ones count.
  const bySteps = Map.groupBy(samples, ({ step }) => step);
  const steps = [...bySteps.keys()].sort((a, b) => a - b);
  if (steps.length === 0)
    return <Nothing title={t('noSamples')} text={t(rl === 'reward' ? 'noSamplesOfReward' : 'noSamplesText')} />;
  const step = chosen !== undefined && steps.includes(chosen) ? chosen : (steps.at(-1) as number);
  const answers = new Map((bySteps.get(step) ?? []).map((sample) => [sample.prompt, sample.text]));
  return (
    <div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-b px-4 py-2.5">
        <span className="figures w-36 text-[13px] text-muted">{t('sampleStep', { step: format.count(step) })}</span>
        {steps.length > 1 && (
          <Slider.Root
            value={[steps.indexOf(step)]}
            max={steps.length - 1}
            onValueChange={([index = 0]) => setChosen(index === steps.length - 1 ? undefined : steps[index])}
            className="relative flex h-5 min-w-40 max-w-md grow touch-none items-center"
          >
            <Slider.Track className="relative h-1 grow rounded-full bg-line">
              <Slider.Range className="absolute h-full rounded-full bg-faint" />
            </Slider.Track>
            <Slider.Thumb
              aria-label={t('sampleStep', { step })}
              className="block size-4 rounded-full border-2 border-ember bg-surface"
            />
          </Slider.Root>
        )}
      </div>
      <dl className="divide-y divide-line">
        {[...answers].map(([prompt, text]) => (
          <div key={prompt} className="grid gap-x-6 gap-y-1 px-4 py-3 md:grid-cols-[minmax(0,18rem)_minmax(0,1fr)]">
            <dt className="text-muted [overflow-wrap:anywhere]">{prompt}</dt>
            <dd className="max-w-[72ch] whitespace-pre-wrap [overflow-wrap:anywhere]">{text}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

export function Nothing({ title, text }: { title: string; text?: string }) {
  return (
    <div className="grid gap-0.5 px-4 py-8 text-center">
      <p className="font-medium">{title}</p>
      {text && <p className="text-muted">{text}</p>}
    </div>
  );
}
