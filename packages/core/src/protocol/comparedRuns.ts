/** Apart from the schemas, so that a page that only shows the number does not load them. */

/** Runs that are set side by side at once. */
export const mostComparedRuns = 50;
