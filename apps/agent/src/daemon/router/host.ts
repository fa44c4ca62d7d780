/** The machine that the agent runs on. */
import type { HostDevice } from '@anneal/core/protocol/host';
import { hostDevices } from '../../service/host/devices.ts';
import { procedure, router } from './trpc.ts';

export const host = router({
  /** What runs can be trained on, the fastest first. */
  devices: procedure.query((): readonly HostDevice[] => hostDevices()),
});
