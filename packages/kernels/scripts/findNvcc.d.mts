export const toolkitFolder: string;
export function findNvcc(environment?: NodeJS.ProcessEnv): string | null;
