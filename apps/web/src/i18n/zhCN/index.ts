import type { Messages } from '../en/index.ts';
import { data } from './data.ts';
import { frame } from './frame.ts';
import { host } from './host.ts';
import { recipes } from './recipes.ts';
import { runs } from './runs.ts';

export const zhCN: Messages = { ...frame, ...runs, ...recipes, ...data, ...host };
