import type { Engine } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { allocateEngine } from '../memory.ts';
import { inFull } from '../models/adapters/full.ts';
import { type LoraModuleSpec, type LoraSpec, loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import { loadLoraWeights } from '../models/adapters/loraWeights.ts';
import { inTokens, tokensOfBase, writeTokens } from '../models/adapters/tokens.ts';
import { loadWeights } from '../models/load.ts';
import { openModel } from '../models/open.ts';
import { initializeLora } from './initialize.ts';
import type { Session } from './session.ts';

/**
 * The plan's engine with all weights in it: the base model's, and those of `checkpoint` where there is one, else a new adapter or that of
 * `lora_model_dir`.
 * @throws UserError when the memory is not there, or the checkpoint is of another model or another adapter
 */
export async function startEngine(session: Session, checkpoint: string | null): Promise<Engine> {
  const { job, model, plan, lora, initialAdapter } = session;
  const adapter = checkpoint && lora ? loadLoraWeights(checkpoint, model) : initialAdapter;
  if (checkpoint && lora && adapter) refuseOtherAdapter(checkpoint, loraSpecOf(adapter, lora.dropout), lora);
  const engine = allocateEngine(plan, job.device, {
    what: 'the run',
    next: 'lower sequence_len or micro_batch_size, set activations: offload on a GPU or recompute, or close other programs; `anneal estimate` shows the parts',
  });
  let weights = model;
  try {
    if (checkpoint && !lora) weights = openModel(checkpoint);
    await loadWeights(engine, weights);
    if (adapter) await writeLora(engine, adapter);
    else if (lora) {
      await initializeLora(engine, lora, job.seed);
      if (lora.tokens.length > 0) await writeTokens(engine, tokensOfBase(model, lora.tokens));
    }
    return engine;
  } catch (error) {
    await engine.dispose();
    throw error;
  } finally {
    if (weights !== model) weights.close();
  }
}

/** Factors of another rank would fill the wrong rows of the plan's, and with another scale they would mean another model. */
function refuseOtherAdapter(checkpoint: string, stored: LoraSpec, wanted: LoraSpec): void {
  const [storedFull, wantedFull] = [stored, wanted].map(({ full }) => inFull(full));
  if (storedFull !== wantedFull)
    throw otherAdapter(checkpoint, `the checkpoint has ${storedFull} trained in full, this recipe ${wantedFull}`);
  const [storedTokens, wantedTokens] = [stored, wanted].map(({ tokens }) => inTokens(tokens));
  if (storedTokens !== wantedTokens)
    throw otherAdapter(checkpoint, `the checkpoint has ${storedTokens} trained, this recipe ${wantedTokens}`);
  const linears = new Set([...stored.modules.keys(), ...wanted.modules.keys()]);
  for (const linear of linears) {
    const [found, planned] = [stored, wanted].map((spec) => inWords(spec.modules.get(linear), spec));
    if (found === planned) continue;
    throw otherAdapter(checkpoint, `the checkpoint has ${found} on ${linear}, this recipe ${planned}`);
  }
}

function otherAdapter(checkpoint: string, what: string): UserError {
  return new UserError({
    what,
    where: checkpoint,
    next: 'use the lora_… and peft_… settings that the checkpoint was made with',
    code: 'checkpoint_of_another_run',
  });
}

/** The scale is stored as an alpha, which may cost its last bits. */
function inWords(module: LoraModuleSpec | undefined, { dora, loraBias }: LoraSpec): string {
  const kind = dora ? 'a DoRA adapter' : loraBias ? 'an adapter with a bias' : 'an adapter';
  return module ? `${kind} of rank ${module.rank} and scale ${Number(module.scale.toPrecision(9))}` : 'no adapter';
}
