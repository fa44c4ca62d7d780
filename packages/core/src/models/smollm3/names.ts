import { names as llamaNames } from '../llama/names.ts';

export const names = llamaNames;
