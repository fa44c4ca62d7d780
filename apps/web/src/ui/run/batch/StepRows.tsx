'use client';
import { parseAsInteger, useQueryState } from 'nuqs';
import type { ReactNode } from 'react';
import { BatchRows, type ListedRow } from '../../batches/BatchRows.tsx';
import { useStepKeys } from './useStepKeys.ts';

/**
 * What a step was made of, and the one that is chosen beside it: by a click, by J and K, or by the address.
 * @param keys a line that explains the keys
 * @param figure of a row, before its text
 * @param children what is shown of the chosen one
 */
export function StepRows<Row extends ListedRow>({
  label,
  keys,
  rows,
  figure,
  onClose,
  children,
}: {
  label: string;
  keys: string;
  rows: readonly Row[];
  figure: (row: Row) => ReactNode;
  onClose: () => void;
  children: (chosen: Row) => ReactNode;
}) {
  const [document, setDocument] = useQueryState('document', parseAsInteger);
  const at = Math.max(
    0,
    rows.findIndex((row) => row.document === document),
  );
  const chosen = rows[at] as Row;
  const choose = (next: number) => void setDocument(next);
  useStepKeys({ documents: rows.map((row) => row.document), at, onChoose: choose, onClose });
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 lg:grid-cols-[minmax(18rem,2fr)_minmax(0,5fr)]">
      <div className="grid gap-2">
        <BatchRows label={label} rows={rows} chosen={chosen.document} figure={figure} onChoose={choose} />
        <p className="text-[12px] text-muted max-lg:hidden">{keys}</p>
      </div>
      {children(chosen)}
    </div>
  );
}
