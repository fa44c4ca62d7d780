/** The machine that the agent runs on. */
import type { Finding } from '@anneal/core/protocol/checks';
import type { HostDevice, SupportFile } from '@anneal/core/protocol/host';
import type { HostNow } from '@anneal/core/protocol/studio';
import { z } from 'zod';
import { eachChange } from '../../service/eachChange.ts';
import { finish } from '../../service/finish.ts';
import { hostDevices } from '../../service/host/devices.ts';
import { askApart } from '../askApart.ts';
import { key } from './runNames.ts';
import { nothing, procedure, router } from './trpc.ts';

export const host = router({
  /** What runs can be trained on, the fastest first. */
  devices: procedure.input(nothing).query((): readonly HostDevice[] => hostDevices()),

  /** What the machine is doing, every two seconds. */
  samples: procedure.input(nothing).subscription(async function* ({ ctx, signal }): AsyncGenerator<HostNow> {
    const { telemetry } = ctx.agent;
    const abort = signal ?? new AbortController().signal;
    for await (const _ of eachChange((listener) => telemetry.onSample(listener), abort)) {
      await ctx.pace.turn(abort);
      if (telemetry.latest) yield { ...telemetry.latest, models: ctx.agent.models.list() };
    }
  }),

  /** A file for somebody who helps, about this machine and a run, by default the newest; without secrets. */
  support: procedure
    .input(z.strictObject({ run: key.optional() }))
    .query(async ({ ctx, input, signal }): Promise<SupportFile> => {
      const { workspace, feeds } = ctx.agent;
      const named = input.run === undefined ? (await feeds.all()).at(-1) : await feeds.get(input.run);
      const request = { folder: workspace.root, run: named?.path };
      return finish(askApart('collectSupport', { runsFolder: workspace.runsFolder }, request, signal));
    }),

  /** What the doctor says of this machine. It ends when nobody listens any more. */
  examine: procedure.input(nothing).subscription(async function* ({ ctx, signal }): AsyncGenerator<Finding[]> {
    yield await finish(askApart('examineHost', {}, { folder: ctx.agent.workspace.root }, signal));
  }),
});
