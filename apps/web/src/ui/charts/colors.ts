/** A color of the theme, for a canvas. */
export function colorOf(name: string, alpha = 1): string {
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  return alpha === 1 ? value : value.replace(/\)$/, ` / ${alpha})`);
}

/** Asks for each color once: asking has the browser work out the styles of the page. For what is made anew with the theme. */
export function rememberedColors(): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const color = known.get(name) ?? colorOf(name);
    known.set(name, color);
    return color;
  };
}
