import type { Messages } from '../en/index.ts';
import { data } from './data.ts';
import { exports } from './exports.ts';
import { frame } from './frame.ts';
import { host } from './host.ts';
import { jobs } from './jobs.ts';
import { recipes } from './recipes.ts';
import { runs } from './runs.ts';

export const zhCN: Messages = { ...data, ...exports, ...frame, ...host, ...jobs, ...recipes, ...runs };
