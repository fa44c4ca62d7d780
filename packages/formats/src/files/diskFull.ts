/** What a failed file operation says of the disk: that it, or what this user may have of it, is used up; else undefined. */
export function diskFull(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOSPC' ? 'the disk is full' : code === 'EDQUOT' ? 'the disk quota is used up' : undefined;
}
