/** Without schemas, which the pages of the studio do not load. */
import type { Alert } from './alerts.ts';

/** Those that nobody has looked at. */
export const openAlerts = (alerts: readonly Alert[]): Alert[] =>
  alerts.filter(({ acknowledged }) => acknowledged === null);
