/** Keys there are letters, or choose; in a dialog they are none of the page's. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof Element && target.closest('[role="dialog"]') !== null)
  );
}
