import type { HostDevice } from '@anneal/core/protocol/host';
import { useQuery } from '@tanstack/react-query';
import { agent } from './connection.ts';
import { useConnection } from './hooks.ts';

/** The devices of the agent's machine, the fastest first; undefined until it has told. They stay while it runs: one that is back may have others. */
export function useDevices(): readonly HostDevice[] | undefined {
  const enabled = useConnection() === 'open';
  const { data } = useQuery({
    queryKey: ['devices'],
    queryFn: () => agent().host.devices.query(),
    enabled,
    refetchOnMount: false,
  });
  return data;
}
