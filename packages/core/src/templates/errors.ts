/** What a template refuses a conversation with; the message is the one that Python's Jinja gives. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
