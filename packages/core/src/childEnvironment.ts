/** What programs and libraries of others get of our environment: what they need for their work, and no token. */

/**
 * Where programs, libraries, the home folder and room for temporary files are found, and the language and time zone, by which they read and
 * print.
 */
const COMMON = 'PATH LD_LIBRARY_PATH DYLD_LIBRARY_PATH HOME TMPDIR LANG LC_ALL LC_CTYPE TZ'.split(' ');

/** The environment of a program: the common variables, and those that `also` names; `PIP_*` is all that begin so. */
export function childEnvironment(also: readonly string[] = []): NodeJS.ProcessEnv {
  const exact = new Set([...COMMON, ...also]);
  const beginnings = also.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  const given = Object.entries(process.env).filter(
    ([name]) => exact.has(name) || beginnings.some((beginning) => name.startsWith(beginning)),
  );
  return Object.fromEntries(given) as NodeJS.ProcessEnv;
}
