import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { scrollGeometry } from './scaledScroll.ts';

/** After so long without another, a scrolling has ended. */
const restMilliseconds = 120;

/**
 * The place of a long list in an element that scrolls. Small movements go by pixels wherever one is; the scroll bar, dragged over more
 * than a screenful, goes by its share of the whole.
 */
export function useScaledScroll(view: RefObject<HTMLElement | null>, rows: number, rowHeight: number, start: number) {
  const [viewport, setViewport] = useState(0);
  const [position, setPosition] = useState(start);
  const geometry = useMemo(() => scrollGeometry(rows, rowHeight, viewport), [rows, rowHeight, viewport]);
  const at = useRef({ top: 0, position: start });
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);

  useLayoutEffect(() => {
    const element = view.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setViewport(element.clientHeight));
    observer.observe(element);
    setViewport(element.clientHeight);
    return () => observer.disconnect();
  }, [view]);

  const goTo = useCallback(
    (wanted: number) => {
      const element = view.current;
      if (!element) return;
      const next = Math.min(Math.max(0, wanted), geometry.last);
      element.scrollTop = geometry.topOf(next);
      at.current = { top: element.scrollTop, position: next };
      setPosition(next);
    },
    [view, geometry],
  );
  // Another size, or another number of rows: the same row stays at the edge.
  useLayoutEffect(() => goTo(at.current.position), [goTo]);
  useEffect(() => () => clearTimeout(rest.current), []);

  const onScroll = useCallback(() => {
    const element = view.current;
    if (!element || element.scrollTop === at.current.top) return;
    const top = element.scrollTop;
    const moved = top - at.current.top;
    const next =
      Math.abs(moved) < viewport
        ? Math.min(Math.max(0, at.current.position + moved / rowHeight), geometry.last)
        : geometry.positionOf(top);
    at.current = { top, position: next };
    setPosition(next);
    clearTimeout(rest.current);
    rest.current = setTimeout(() => {
      if (Math.abs(geometry.topOf(at.current.position) - element.scrollTop) >= 1) goTo(at.current.position);
    }, restMilliseconds);
  }, [view, viewport, rowHeight, geometry, goTo]);

  return { position, viewport, height: geometry.height, goTo, onScroll };
}
