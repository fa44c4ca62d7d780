import type { Person } from '@anneal/core/protocol/people';
import { type Role, reaches } from '@anneal/core/protocol/roles';
import { useQuery } from '@tanstack/react-query';
import { agent } from './connection.ts';
import { useConnection } from './hooks.ts';

/** Who uses this browser; asked again when the connection is back, for the role may be another one. */
export function useMe(): Person | undefined {
  const enabled = useConnection() === 'open';
  return useQuery({ queryKey: ['me'], queryFn: () => agent().people.me.query(), enabled, refetchOnMount: false }).data;
}

/** Whether they may do what needs this role. The agent decides; this is only for what is offered. */
export function useMay(needed: Role): boolean {
  const me = useMe();
  return me === undefined || reaches(me.role, needed);
}

/** What needs this role cannot be asked for now: the agent is away, or it is not theirs to do. */
export function useIsOff(needed: Role): boolean {
  const isAway = useConnection() !== 'open';
  return !useMay(needed) || isAway;
}
