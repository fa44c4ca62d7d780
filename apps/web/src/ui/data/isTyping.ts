/** Keys there are letters, or choose; in a dialog they are none of the page's. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    // The editor of recipes is a text box without being an input.
    (target instanceof Element && target.closest('[role="dialog"], [role="textbox"]') !== null)
  );
}
