/** Monaco in the studio's colors, as they are in the theme that is shown. Monaco wants them as #rrggbbaa. */
import { monaco } from './features.ts';

/** Call it after the theme of the page has changed. */
export function applyTheme(isDark: boolean): void {
  const color = paletteReader();
  const token = (name: string) => color(name).slice(1, 7);
  monaco.editor.defineTheme('studio', {
    base: isDark ? 'vs-dark' : 'vs',
    inherit: true,
    rules: [
      { token: '', foreground: token('--ink') },
      { token: 'type', foreground: token('--teal') },
      { token: 'comment', foreground: token('--muted'), fontStyle: 'italic' },
      { token: 'string', foreground: token('--ink') },
      { token: 'number', foreground: token('--ember') },
      { token: 'keyword', foreground: token('--ember') },
      { token: 'operators', foreground: token('--muted') },
    ],
    colors: {
      'editor.background': color('--surface'),
      'editor.foreground': color('--ink'),
      'editorLineNumber.foreground': color('--muted'),
      'editorLineNumber.activeForeground': color('--ink'),
      'editor.lineHighlightBackground': color('--sunken'),
      'editor.lineHighlightBorder': '#00000000',
      'editorCursor.foreground': color('--ember'),
      'editor.selectionBackground': color('--teal', 0.25),
      'editor.inactiveSelectionBackground': color('--teal', 0.15),
      'editorIndentGuide.background1': color('--line'),
      'editorIndentGuide.activeBackground1': color('--faint'),
      'editorError.foreground': color('--bad'),
      'editorWarning.foreground': color('--warn'),
      'editorWidget.background': color('--surface'),
      'editorWidget.border': color('--line'),
      'editorHoverWidget.background': color('--surface'),
      'editorHoverWidget.border': color('--line'),
      'editorSuggestWidget.background': color('--surface'),
      'editorSuggestWidget.border': color('--line'),
      'editorSuggestWidget.selectedBackground': color('--ember-soft'),
      'editorSuggestWidget.selectedForeground': color('--ink'),
      'editorSuggestWidget.highlightForeground': color('--ember'),
      'editorSuggestWidget.focusHighlightForeground': color('--ember'),
      'editorInlayHint.foreground': color('--muted'),
      'editorInlayHint.background': '#00000000',
      'editorBracketMatch.background': color('--ember-soft'),
      'editorBracketMatch.border': color('--faint'),
      'menu.background': color('--surface'),
      'menu.foreground': color('--ink'),
      focusBorder: color('--ember'),
    },
  });
  monaco.editor.setTheme('studio');
}

/** Reads a variable of the style sheet, whatever way of writing colors it uses. */
function paletteReader(): (name: string, opacity?: number) => string {
  const style = getComputedStyle(document.documentElement);
  const canvas = document.createElement('canvas');
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('the browser has no canvas');
  return (name, opacity = 1) => {
    context.fillStyle = style.getPropertyValue(name);
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue] = context.getImageData(0, 0, 1, 1).data as unknown as [number, number, number];
    return `#${[red, green, blue, Math.round(255 * opacity)].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
  };
}
