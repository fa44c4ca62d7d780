'use client';
import type { Warning } from '@anneal/core/protocol/events';
import { TriangleAlert } from 'lucide-react';

/** What is worth knowing and stops nothing: as the agent says it. */
export function WarningNote({ warning: { message, where, next } }: { warning: Warning }) {
  return (
    <p className="flex gap-2 text-[13px] [overflow-wrap:anywhere]">
      <TriangleAlert className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden="true" />
      <span>
        {message} {where && <span className="font-mono text-[12.5px] text-muted">{where} </span>}
        <span className="text-muted">{next}</span>
      </span>
    </p>
  );
}
