import type { HostDevice } from '@anneal/core/protocol/host';
import { useQuery } from '@tanstack/react-query';
import { agent } from './connection.ts';
import { useHasSocket } from './hooks.ts';

/** The devices of the agent's machine, the fastest first; undefined until it has told. They stay while it runs. */
export function useDevices(): readonly HostDevice[] | undefined {
  const enabled = useHasSocket();
  const { data } = useQuery({
    queryKey: ['devices'],
    queryFn: () => agent().host.devices.query(),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data;
}
