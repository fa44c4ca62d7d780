import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { agent } from '../../agent/connection.ts';

/** A waiting run that is dragged, and the device that it waits for. */
export interface DraggedRun {
  run: string;
  device: string;
}

/** One drag for all devices: a run goes to another place, before another device, or both. */
export function useQueueDrag() {
  const [dragged, setDragged] = useState<DraggedRun>();
  const dropped = useMutation({
    mutationFn: async ({ run, from, to, place }: { run: string; from: string; to: string; place: number | null }) => {
      if (from !== to) await agent().queue.assign.mutate({ run, device: to });
      if (place !== null) await agent().queue.move.mutate({ run, place });
    },
  });
  return {
    dragged,
    begin: setDragged,
    end: () => setDragged(undefined),
    /** @param place from 1; null for behind those of its priority */
    drop(device: string, place: number | null) {
      if (dragged) dropped.mutate({ run: dragged.run, from: dragged.device, to: device, place });
      // What is dropped elsewhere leaves its list, and then the browser tells of no end.
      setDragged(undefined);
    },
    /** Why what was dropped on the device stays where it was. */
    refusalOn: (device: string): unknown => (dropped.variables?.to === device ? dropped.error : null),
  };
}

export type QueueDrag = ReturnType<typeof useQueueDrag>;
