/** What some keys of an address may say. Apart from the list of all keys, which no page waits for. */
export const recipeViews = ['text', 'form', 'both'] as const;
export const rowForms = ['text', 'tokens', 'ids', 'raw'] as const;
export const rowAnswers = ['chosen', 'rejected'] as const;
export const answerViews = ['formatted', 'text', 'tokens'] as const;
export const runTabs = ['samples', 'doctor', 'events', 'output', 'memory', 'recipe', 'exports'] as const;
/** Runs that differ in their seeds: drawn as one, or each by itself. */
export const seedViews = ['together', 'each'] as const;
