/** What a recipe or an option may say: `auto`, `cpu`, `cuda` for the first GPU, `cuda:1` for the second. */
export const deviceNamePattern = /^(auto|cpu|cuda(:\d{1,3})?)$/;
