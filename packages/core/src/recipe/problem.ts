import { UserError } from '../errors.ts';

/** Where in a recipe a value stands: `['datasets', 0, 'path']`. */
export type KeyPath = readonly (string | number)[];

/** What is wrong with one key, before it is known where the key was written. */
export interface Finding {
  path: KeyPath;
  /** Whether the mistake is in the name of the key or in its value. */
  part: 'key' | 'value';
  code: string;
  what: string;
  next: string;
  /** What to write in place of the key or the value, where one thing is likely. */
  fix?: string;
  /** Keys of which one can be taken out to mend it. */
  removable?: readonly KeyPath[];
}

/**
 * `file:line:column`, or the option of the command line that set the value. Line and column count from 1; the end is
 * that of the key or the value, and is the column after its last character.
 */
export interface Location {
  where: string;
  line?: number;
  column?: number;
  endLine?: number;
  endColumn?: number;
}

/** A finding with its place. The command line prints it, an editor underlines it. */
export type RecipeProblem = Omit<Finding, 'part'> & Location;

/** Thrown for a recipe with at least one problem; carries all of them. */
export class InvalidRecipe extends UserError {
  readonly problems: readonly RecipeProblem[];

  constructor(problems: readonly RecipeProblem[]) {
    const [first] = problems;
    if (first === undefined) throw new Error('InvalidRecipe needs a problem');
    super(
      problems.length === 1
        ? first
        : {
            what: `${problems.length} problems in the recipe\n${list(problems)}`,
            next: 'correct them all; `anneal validate` checks the recipe without starting anything',
            code: 'invalid_recipe',
          },
    );
    this.name = 'InvalidRecipe';
    this.problems = problems;
  }

  override toJSON() {
    return { ...super.toJSON(), problems: this.problems };
  }
}

/** A file of another kind has thousands. */
const mostListed = 20;

function list(problems: readonly RecipeProblem[]): string {
  const rest = problems.length - mostListed;
  const lines = problems.slice(0, mostListed).map(listed);
  return [...lines, ...(rest > 0 ? [`  … and ${rest} more`] : [])].join('\n');
}

function listed(problem: RecipeProblem): string {
  return `  ${problem.where}  ${problem.what}; ${problem.next}`;
}

/** The place of a key when it is not known where it was written. */
export const unlocated = (path: KeyPath): Location => ({ where: dotted(path) });

/** How a path is written in messages and in `--set`: `datasets.0.path`. */
export function dotted(path: KeyPath): string {
  return path.join('.');
}
