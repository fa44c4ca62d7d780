import { names as mistralNames } from '../mistral/names.ts';

export const names = mistralNames;
