/**
 * The base model of a run was another than the one it had been trained on, of equal shape: it answered, was measured and was exported, without
 * a word. A resume alone noticed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openChat } from '../apps/agent/src/service/chat/open.ts';
import { evaluateSource } from '../apps/agent/src/service/evaluate/evaluate.ts';
import { exportSource } from '../apps/agent/src/service/exports/export.ts';
import { checkParity } from '../apps/agent/src/service/exports/parity.ts';
import { finish } from '../apps/agent/src/service/finish.ts';
import { openBatches } from '../apps/agent/src/service/runs/batches.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

test('weights of a run are put on no other base', async () => {
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, { max_steps: 1, val_set_size: 0.2 });
  const { path: source } = await trainHere(recipe);
  const context = { runsFolder: recipe.output_dir as string };
  const uses = {
    chat: async () => (await finish(openChat(context, { source }))).close(),
    eval: () => finish(evaluateSource(context, { source })),
    export: (to: string) => finish(exportSource(context, { source, merged: 'f32', to: join(folder, to) })),
    losses: async () => {
      const batches = await finish(openBatches(context, { run: source }));
      try {
        return await finish(batches.measure({ step: 1 }));
      } finally {
        await batches.close();
      }
    },
  };
  for (const [name, use] of Object.entries(uses)) await use(`exported-${name}`);

  const weights = join(recipe.base_model, 'model.safetensors');
  const bytes = readFileSync(weights);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] as number) ^ 0x80;
  writeFileSync(weights, bytes);
  const changed = { code: 'run_inputs_changed', where: recipe.base_model };
  for (const [name, use] of Object.entries(uses)) {
    await expect(use(`again-${name}`), name).rejects.toMatchObject(changed);
  }
  const exported = [join(folder, 'exported-export', 'merged')];
  await expect(finish(checkParity(context, { source, exported }))).rejects.toMatchObject(changed);
});
