import { expertNames } from '../layers/names.ts';
import { names as denseNames } from '../qwen3/names.ts';

export const names = [...denseNames, ...expertNames];
