/** A color of the theme, for a canvas. */
export function colorOf(name: string, alpha = 1): string {
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  return alpha === 1 ? value : value.replace(/\)$/, ` / ${alpha})`);
}
