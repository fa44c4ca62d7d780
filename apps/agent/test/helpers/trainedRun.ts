/** The starter model after some steps: a run with a checkpoint, that can be exported. */
import { join } from 'node:path';
import { beginProject } from '../../src/service/recipes/init.ts';
import { annealIn, temporaryFolder } from './anneal.ts';

/** Returns its path: `<project>/runs/<id>`. @param project a folder that is not there yet; by default a temporary one */
export async function trainedRun(project?: string): Promise<string> {
  const folder = project ?? join(temporaryFolder('run'), 'harbor');
  await beginProject({}, { folder });
  const anneal = annealIn(folder);
  const set = ['max_steps=60', 'sample_prompts=["Who are you?"]', 'val_set_size=0'].flatMap((one) => ['--set', one]);
  const { code, stdout, stderr } = await anneal('train', 'recipe.yaml', '--json', ...set);
  if (code !== 0) throw new Error(stderr || stdout);
  const { id } = JSON.parse(stdout.slice(0, stdout.indexOf('\n')));
  return join(folder, 'runs', id);
}
