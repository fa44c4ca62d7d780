'use client';
import { type RefObject, useEffect, useRef } from 'react';

/** Whoever is at the end of the page stays there while it grows; whoever has scrolled up is left alone. */
export function useStickyEnd(content: unknown): RefObject<HTMLDivElement | null> {
  const end = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const onScroll = () => {
      const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
      isAtEnd.current = scrollHeight - clientHeight - scrollTop < 80;
    };
    document.addEventListener('scroll', onScroll, { passive: true });
    return () => document.removeEventListener('scroll', onScroll);
  }, []);
  useEffect(() => {
    if (content && isAtEnd.current) end.current?.scrollIntoView({ block: 'end' });
  }, [content]);
  return end;
}
