import type { QueueState } from '@anneal/core/protocol/studio';

/** A device and the runs on it and before it. */
export type Lane = QueueState['devices'][number];
