import { hostname } from 'node:os';
import { type AlertWatch, acknowledgedBy } from '@anneal/core/alerts/alertWatch';
import { hostFacts } from '@anneal/core/alerts/hostFacts';
import type { Alert } from '@anneal/core/protocol/alerts';
import type { Remarks } from '@anneal/core/trainer/remarks';
import type { RunOwner } from '@anneal/core/trainer/runLock';

interface Watched {
  path: string;
  owner: RunOwner | undefined;
  watch: AlertWatch;
  /** The newest checkpoint, relative to the run. */
  checkpoint: string | null;
  remarks: Remarks;
}

/** What the machine has is looked at where the run goes on here. */
export function alertsOf({ path, owner, watch, checkpoint, remarks }: Watched): Alert[] {
  const facts = owner?.host === hostname() ? hostFacts(path, checkpoint) : null;
  return acknowledgedBy(watch.alerts(facts), remarks.acknowledged);
}
