/** What a template refuses a conversation with; the message is the one that Python's Jinja gives. */
export class TemplateError extends Error {
  override readonly name: string = 'TemplateError';
}

/** It took more work or memory than a rendering may. */
export class TemplateLimitError extends TemplateError {
  override readonly name = 'TemplateLimitError';
}
