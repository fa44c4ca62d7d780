/** In which order runs that wait begin, highest first. Without a schema, so that a page can use it for nothing. */
export const priorities = ['high', 'normal', 'low'] as const;
export type Priority = (typeof priorities)[number];
