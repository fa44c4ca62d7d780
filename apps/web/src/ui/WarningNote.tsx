'use client';
import type { Warning } from '@anneal/core/protocol/events';
import { TriangleAlert } from 'lucide-react';
import { useProblemText } from '../i18n/problems.tsx';
import { AgentWords } from './AgentWords.tsx';
import { CodeText } from './CodeText.tsx';

/** What is worth knowing and stops nothing. */
export function WarningNote({ warning: { code, message, where, next: way } }: { warning: Warning }) {
  const { what, next, said } = useProblemText()({ code, what: message, next: way });
  return (
    <p className="flex gap-2 text-[13px] [overflow-wrap:anywhere]">
      <TriangleAlert className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden="true" />
      <span>
        <CodeText text={what} /> {where && <span className="font-mono text-[12.5px] text-muted">{where}</span>}
        {next && (
          <span className="block text-muted">
            <CodeText text={next} />
          </span>
        )}
        <AgentWords said={said} />
      </span>
    </p>
  );
}
