'use client';
import { useEffect, useRef } from 'react';

/** `/` goes to the search field, J and K from row to row; Enter then opens one, as it does any link. */
export function useRowKeys() {
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const inField = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (inField) {
        if (event.key === 'Escape') (event.target as HTMLElement).blur();
        return;
      }
      if (event.key === '/') {
        event.preventDefault();
        search.current?.focus();
      } else if (event.key === 'j' || event.key === 'k') {
        const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
        const at = rows.indexOf(document.activeElement as HTMLElement);
        const next = event.key === 'j' ? at + 1 : at < 0 ? rows.length - 1 : at - 1;
        rows[Math.min(rows.length - 1, Math.max(0, next))]?.focus();
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return search;
}
