/** Addresses of the agent, which a proxy may show below a path of its own. Links of Next.js know of it by themselves. */

/** @param path of the agent, from its first slash */
export function agentPath(path: string): string {
  return `${process.env['basePath']}${path}`;
}

/** @param path of a socket of the agent */
export function socketUrl(path: string): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${agentPath(path)}`;
}
