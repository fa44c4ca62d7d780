/** The chat templates that a row can be read with beside its own. Browser-safe. */
import { TEMPLATE_NAMES } from '../templates/templateNames.ts';

/** `tokenizer_default` is the one that came with the model. */
export const otherTemplates = ['tokenizer_default', ...TEMPLATE_NAMES] as const;
