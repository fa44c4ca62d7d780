'use client';
import { ChevronDown, ChevronRight } from 'lucide-react';
import Link from 'next/link';
import { type ReactNode, useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import { SpreadFigure } from './SpreadFigure.tsx';
import type { SeedFamily } from './seedFamilies.ts';

/** The head of runs that differ in their seeds, which it hides and shows: what they came to on average. */
export function FamilyRow({ family, children }: { family: SeedFamily; children: ReactNode }) {
  const t = useTranslations('seeds');
  const [isOpen, setOpen] = useState(true);
  const members = useId();
  const { name, runs, seeds, loss, validationLoss } = family;
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <li data-family={name}>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 bg-sunken/60 py-2 pr-4 pl-3.5">
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={members}
          onClick={() => setOpen(!isOpen)}
          className="flex min-w-0 grow basis-56 items-center gap-2.5 text-left"
        >
          <Chevron className="size-4 shrink-0 text-muted" aria-hidden="true" />
          <span className="truncate font-medium">{name}</span>
          <span className="figures shrink-0 text-[12.5px] text-muted" title={seeds.join(', ')}>
            {t('count', { count: seeds.length })}
          </span>
        </button>
        <Figure name={t('loss')}>
          <SpreadFigure of={loss} />
        </Figure>
        <Figure name={t('validation')}>
          <SpreadFigure of={validationLoss} />
        </Figure>
        <Link
          href={`/compare?runs=${runs.map(({ key }) => encodeURIComponent(key)).join(',')}`}
          className="text-[13px] text-ember underline underline-offset-2"
        >
          {t('compare')}
        </Link>
      </div>
      <ul
        id={members}
        hidden={!isOpen}
        className="relative divide-y divide-line border-line border-t before:pointer-events-none before:absolute before:inset-y-0 before:left-0 before:z-10 before:w-[3px] before:bg-ember/50"
      >
        {children}
      </ul>
    </li>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <span className="figures whitespace-nowrap text-[13px]">
      <span className="label mr-1.5">{name}</span>
      {children}
    </span>
  );
}
