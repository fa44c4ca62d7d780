/** Handing on to a hub what was exported, with a model card made from its run. */
import { basename, join, relative } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type CardFacts, modelCard } from '@anneal/core/export/modelCard';
import { noToken } from '@anneal/core/hub/push/pushErrors';
import { pushFiles } from '@anneal/core/hub/push/pushFiles';
import { hubUrl } from '@anneal/core/hub/sources';
import { type PushedRepository, type PushProgress, type PushRequest, pushRequest } from '@anneal/core/protocol/push';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { pathOfRun } from '../runs/find.ts';
import { baseOf, cardRun } from './cardFacts.ts';
import { type ChosenExport, chooseExport, folderOf } from './chosen.ts';
import { type NamedPath, namedPathsIn } from './namedPaths.ts';

/**
 * All files of the export and the card appear in the repository as one commit.
 * @throws UserError `hub_not_served`, `hub_token_missing`, `push_names_a_path`, those of `chooseExport` and `pushFiles`
 */
export function pushExport(context: Context, request: PushRequest): AsyncGenerator<PushProgress, PushedRepository> {
  const wanted = parseRequest(pushRequest, request);
  return reporting<PushProgress, PushedRepository>(async (report, signal) => {
    if (wanted.hub === 'modelscope') throw notServed();
    const token = context.secrets?.hf_token;
    if (token === undefined) throw noToken();
    const chosen = await chooseExport(context, wanted.source);
    const files = filesOf(chosen);
    const warnings = warningsOf(chosen, files, wanted);
    const facts = await factsOf(context, chosen, wanted.to);
    const pushed = await pushFiles(files, wanted.to, {
      hubUrl: hubUrl('hugging_face', {}),
      token,
      isPrivate: !wanted.public,
      replace: wanted.replace,
      title: `${facts.name}: ${facts.form}`,
      card: (hashed) => modelCard({ ...facts, files: hashed }),
      onProgress: report,
      signal,
    });
    return { ...pushed, warnings };
  }, context.signal);
}

function filesOf(chosen: ChosenExport): { name: string; path: string }[] {
  const folder = folderOf(chosen);
  return chosen.entries.flatMap((entry) =>
    entry.files.map(({ path }) => {
      const file = join(entry.folder, path);
      return { name: relative(folder, file).replaceAll('\\', '/'), path: file };
    }),
  );
}

async function factsOf(
  context: Context,
  { form, entries }: ChosenExport,
  repository: string,
): Promise<Omit<CardFacts, 'files'>> {
  const [{ type, run: origin, path, parity, adapterScale = 1 }] = entries;
  const prompts = parity?.prompts ?? [];
  const sum = (key: 'agreeing' | 'tokens') => prompts.reduce((all, prompt) => all + prompt[key], 0);
  const run = origin && (await pathOfRun(runsFolderOfEntry(context, entries[0].folder, origin.id), origin.id));
  return {
    repository,
    form,
    type,
    name: origin?.id ?? basename(path, '.gguf'),
    base: run ? await baseOf(run) : { id: null, license: null },
    adapterScale,
    imatrix: entries.flatMap(({ type: quantized, imatrix }) =>
      imatrix ? [{ type: quantized ?? form, ...imatrix }] : [],
    ),
    run: run && origin ? cardRun(run, origin.step) : null,
    parity: parity && { agreeing: sum('agreeing'), tokens: sum('tokens') },
  };
}

/** The usual place of an export is in its run; what was written elsewhere is looked up where runs are kept. */
function runsFolderOfEntry(context: Context, folder: string, id: string): Context {
  const [before] = folder.split(`/${id}/export`);
  return before !== undefined && before !== folder ? { ...context, runsFolder: before } : context;
}

/** What whoever downloads it cannot follow. @throws UserError `push_names_a_path` where everybody may download it */
function warningsOf(
  { entries }: ChosenExport,
  files: readonly { path: string }[],
  { public: isPublic }: PushRequest,
): string[] {
  const found = namedPathsIn(files.map(({ path }) => path));
  const [first] = found;
  if (first && isPublic) throw namesPath(first);
  return [
    ...entries.flatMap(({ warnings }) => warnings),
    ...found.map(
      ({ file, key, value }) =>
        `${basename(file)} has a path of this machine as ${key}, ${value}: whoever may see the repository sees it, and has to name the model themselves`,
    ),
  ];
}

function namesPath({ file, key, value }: NamedPath): UserError {
  return new UserError({
    what: `${basename(file)} has a path of this machine as ${key}, ${value}: everybody would see it, and nobody could follow it`,
    where: file,
    next: 'write the name there that the model has on the hub (owner/name), or push without --public (in the studio: Everybody can see it); nothing was sent',
    code: 'push_names_a_path',
  });
}

function notServed(): UserError {
  return new UserError({
    what: 'a push to ModelScope is not there: its protocol for uploads is written down nowhere but in its Python client, and was not tried',
    where: '--hub modelscope',
    next: 'upload the exported folder with `modelscope upload owner/name <folder>`, or push to the Hugging Face Hub',
    code: 'hub_not_served',
  });
}
