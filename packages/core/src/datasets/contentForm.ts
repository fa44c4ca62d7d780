import { type RenderOptions, type Template, TemplateError } from '../templates/template.ts';
import { tryTemplate } from './templateTrial.ts';

const MARK = 'zqxjpart';

const partsOf = (text: string): readonly unknown[] => [{ type: 'text', text }];

/**
 * The template, or one that hands it each text as a list of one part: those of some multimodal models (Idefics3, SmolVLM) go through
 * the parts of a content, and print nothing of a text.
 */
export function templateOfTexts(template: Template, options: RenderOptions): Template {
  const prints = (content: unknown): boolean => {
    const text = tryTemplate(() => template.render([{ role: 'user', content }], options));
    return !(text instanceof TemplateError) && text.includes(MARK);
  };
  if (prints(MARK) || !prints(partsOf(MARK))) return template;
  return {
    source: template.source,
    render: (messages, given) => template.render(messages.map(inParts), given),
    renderMessages: (messages, given) => template.renderMessages(messages.map(inParts), given),
  };
}

function inParts(message: unknown): unknown {
  const { content } = message as { content?: unknown };
  return typeof content === 'string' ? { ...(message as object), content: partsOf(content) } : message;
}
