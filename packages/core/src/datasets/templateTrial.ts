import { UserError } from '@anneal/formats/errors';
import { TemplateError, TemplateLimitError } from '../templates/errors.ts';

/**
 * What a template prints of a conversation of a few words, by which we learn what it is like, or why it refuses it.
 * @throws UserError where even that takes more work or memory than a rendering may: every row would, and each for long
 */
export function tryTemplate<T>(render: () => T): T | TemplateError {
  try {
    return render();
  } catch (error) {
    if (error instanceof TemplateLimitError)
      throw new UserError({
        what: `the chat template cannot be used, even for a question and an answer of a few words: ${error.message}`,
        next: 'set another `chat_template` in the recipe; one that came with the model may be damaged or malicious',
        code: 'template_invalid',
        cause: error,
      });
    if (error instanceof TemplateError) return error;
    throw error;
  }
}
