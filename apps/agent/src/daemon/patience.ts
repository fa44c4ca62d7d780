/** How long a request is held. An answer that has begun to be sent may take longer. */
import { UserError } from '@anneal/core/errors';

/** Proxies would not wait longer either. */
export const patienceMilliseconds = 10_000;

/** What the work gives, if it does so in time. @param onLate gives what is thrown else; the work goes on */
export async function withinPatience<T>(work: Promise<T>, onLate: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(onLate()), patienceMilliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function stillWorking(next = 'ask again in a moment'): UserError {
  return new UserError({ what: 'this takes longer than ten seconds, and goes on', next, code: 'still_working' });
}
