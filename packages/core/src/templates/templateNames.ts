/** Chat templates that a recipe may name instead of a file. Browser-safe. */
export const TEMPLATE_NAMES = ['chatml', 'hermes', 'qwen3', 'llama3', 'mistral', 'gemma', 'alpaca'] as const;
export type TemplateName = (typeof TEMPLATE_NAMES)[number];

export function isTemplateName(value: string): value is TemplateName {
  return (TEMPLATE_NAMES as readonly string[]).includes(value);
}
