/** Every text of the studio, a file a noun. Other languages have the same keys, which the compiler checks. */
import { data } from './data.ts';
import { frame } from './frame.ts';
import { host } from './host.ts';
import { recipes } from './recipes.ts';
import { runs } from './runs.ts';

export const en = { ...frame, ...runs, ...recipes, ...data, ...host };

export type Messages = typeof en;
