import { type RenderOptions, type Template, TemplateError } from './template.ts';

/** Whether a model is told of the tools: a template that knows none leaves them out without a word. */
export function printsTools(template: Template, tools: readonly unknown[], options: RenderOptions = {}): boolean {
  const print = (given: readonly unknown[] | null): string =>
    template.render([{ role: 'user', content: 'A question' }], { ...options, tools: given });
  try {
    return print(tools) !== print(null);
  } catch (error) {
    if (error instanceof TemplateError) return true; // it has looked at them
    throw error;
  }
}
