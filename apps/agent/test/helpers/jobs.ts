import type { ListedJob } from '@anneal/core/protocol/jobs';
import type { TestClient } from './daemon.ts';

/** A job when it has ended. */
export function ended(api: TestClient['api'], job: string): Promise<ListedJob> {
  return new Promise((resolve, reject) => {
    const subscription = api.jobs.list.subscribe(undefined, {
      onData: ({ jobs }) => {
        const found = jobs.find(({ id, ended: at }) => id === job && at !== null);
        if (!found) return;
        subscription.unsubscribe();
        resolve(found);
      },
      onError: reject,
    });
  });
}
