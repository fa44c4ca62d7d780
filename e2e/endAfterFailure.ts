/** What follows a failed test in its file would go on from a state that never came. */
import { afterEach, beforeEach } from 'vitest';

let failed: string | undefined;

beforeEach(({ skip }) => {
  if (failed !== undefined) skip(`not run, as "${failed}" before it failed`);
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') failed ??= task.name;
});
