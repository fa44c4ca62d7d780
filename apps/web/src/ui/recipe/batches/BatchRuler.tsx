'use client';
import type { RecipeBatch } from '@anneal/core/protocol/batches';

/** How the rows share the room of a batch, in their order; behind them the padding, then what stays empty. */
export function BatchRuler({
  batch: { rows, padding },
  maxTokens,
  chosen,
}: {
  batch: Pick<RecipeBatch, 'padding'> & { rows: readonly { document: number; tokens: number }[] };
  maxTokens: number;
  chosen: number;
}) {
  const width = (tokens: number) => ({ width: `${(100 * tokens) / maxTokens}%` });
  return (
    <div className="flex h-3 overflow-hidden rounded-[3px] border border-line bg-sunken" aria-hidden="true">
      {rows.map(({ document, tokens }) => (
        <span
          key={document}
          style={width(tokens)}
          className={`border-surface border-r ${document === chosen ? 'bg-ember' : 'bg-teal/60'}`}
        />
      ))}
      <span style={width(padding)} className="bg-faint" />
    </div>
  );
}
