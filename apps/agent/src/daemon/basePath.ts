/** The path below which browsers reach the agent, where a proxy has it below one of its own: `/user/ada/proxy/7420`, or nothing. */
import { UserError } from '@anneal/core/errors';

/** What stands for it in the files of the studio (`apps/web/next.config.ts`), which are built before anybody knows it. */
const builtBasePath = '/__anneal_base_path__';

/** Segments of letters that need no care in an address, a script or a cookie. */
const segments = /^(?:\/(?:[\w.~@-]|%[\dA-Fa-f]{2})+)*$/;

/** What the agent has at its own root: below a proxy that takes its path off, `/data/…` could be either's. */
const ownSegments: ReadonlySet<string> = new Set(
  (
    '_next _not-found api chat compare data healthz host metrics models pair recipes run settings trpc v1 ' +
    'index.html 404.html icon.svg'
  ).split(' '),
);

/** @throws UserError `base_path_not_usable` */
export function checkBasePath(given: string): string {
  const path = given.replace(/\/+$/, '');
  const climbs = path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
  if (!segments.test(path) || climbs) {
    throw notUsable(
      given,
      'this is no path of an address',
      'give the path as the address bar shows it, from its first slash: --base-path /proxy/7420',
    );
  }
  const [, first = ''] = path.split('/');
  if (ownSegments.has(first)) {
    throw notUsable(
      given,
      `the agent has a path /${first} of its own, which could not be told from this one`,
      `have the proxy show the agent below another path, such as --base-path /anneal${path}`,
    );
  }
  return path;
}

function notUsable(given: string, what: string, next: string): UserError {
  return new UserError({ what, where: `--base-path ${given}`, next, code: 'base_path_not_usable' });
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
