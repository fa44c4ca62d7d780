import { InvalidRecipe, type KeyPath, type Location, type RecipeProblem, unlocated } from './problem.ts';
import type { ResolvedRecipe } from './resolve.ts';

/** The devices that have a backend. */
export type Device = 'cpu' | 'cuda';

/**
 * Refuses what the recipe format knows and the backend of the device does not have.
 * @throws InvalidRecipe
 */
export function checkSupported(
  recipe: ResolvedRecipe,
  device: Device,
  locate: (path: KeyPath) => Location = unlocated,
): void {
  const problems: RecipeProblem[] = [];
  const unsupported = (key: keyof ResolvedRecipe, what: string, next: string) =>
    problems.push({ path: [key], code: 'unsupported_on_device', what, next, ...locate([key]) });

  if (recipe.activations === 'offload' && device === 'cpu') {
    unsupported(
      'activations',
      'on cpu activations already are in the memory of the host',
      'set activations: recompute, which takes the least memory there',
    );
  }
  if (problems.length > 0) throw new InvalidRecipe(problems);
}
