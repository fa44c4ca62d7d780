export const toolkitFolder: string;
export function nvccCandidates(environment?: NodeJS.ProcessEnv): string[];
export function findNvcc(environment?: NodeJS.ProcessEnv): string | null;
