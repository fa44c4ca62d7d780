/**
 * What `strftime_now` of a chat template says throughout a run, when it goes on, is measured and talked to: the day on which it
 * was created, in UTC as in its id. At noon here, so that every time zone prints that day.
 * @param created ISO 8601, of the run's status
 */
export function runDate(created: string): Date {
  const [year = 0, month = 1, day = 1] = created.slice(0, 10).split('-').map(Number);
  return new Date(year, month - 1, day, 12);
}

/** What a run would say that was created now. */
export function dateOfRunNow(): Date {
  return runDate(new Date().toISOString());
}
