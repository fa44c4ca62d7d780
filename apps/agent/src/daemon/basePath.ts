/** The path below which browsers reach the agent, where a proxy has it below one of its own: `/user/ada/proxy/7420`, or nothing. */
import { UserError } from '@anneal/core/errors';

/** What stands for it in the files of the studio (`apps/web/next.config.ts`), which are built before anybody knows it. */
const builtBasePath = '/__anneal_base_path__';

/** Segments of letters that need no care in an address, a script or a cookie. */
const segments = /^(?:\/[\w.~@%-]+)*$/;

/** @throws UserError `base_path_not_usable` */
export function checkBasePath(given: string): string {
  const path = given.replace(/\/+$/, '');
  if (segments.test(path) && !path.split('/').some((segment) => segment === '.' || segment === '..')) return path;
  throw new UserError({
    what: 'this is no path of an address',
    where: `--base-path ${given}`,
    next: 'give the path as the address bar shows it, from its first slash: --base-path /proxy/7420',
    code: 'base_path_not_usable',
  });
}

/** A file of the studio for browsers that reach it below this path. */
export function placeBelow(basePath: string, text: string): string {
  return text.replaceAll(builtBasePath, basePath);
}

/** What is asked for, whether the proxy has passed its own path on or taken it off. @param url of a request: a path with its query */
export function withoutBasePath(basePath: string, url: string): string {
  if (basePath === '' || !url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : url;
}
