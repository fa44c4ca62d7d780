/** The cookie of a session. Its name holds the agent's id: cookies of one host do not know of ports. */
import { sessionLifeSeconds } from './auth/access.ts';

const cookieName = (agentId: string): string => `anneal-${agentId}`;

/** Where browsers send it. */
export interface CookiePlace {
  /** Below which the agent is reached; '' for everything of this host. */
  basePath: string;
  /** Over TLS only. */
  secure: boolean;
}

export function sessionCookie(agentId: string, token: string, place: CookiePlace): string {
  return cookie(agentId, token, sessionLifeSeconds, place);
}

export function endedCookie(agentId: string, place: CookiePlace): string {
  return cookie(agentId, '', 0, place);
}

/**
 * The tokens of sessions that a request brings. Pages of other ports, and of other names of a domain, can add cookies of
 * our name, which come first where their path is longer: one of several is believed if it holds.
 */
export function sessionsIn(header: string | undefined, agentId: string): string[] {
  const wanted = `${cookieName(agentId)}=`;
  const pairs = (header ?? '').split(';').map((part) => part.trim());
  return pairs.filter((pair) => pair.startsWith(wanted)).map((pair) => pair.slice(wanted.length));
}

/** The page reads no cookie, and no other site's page makes a browser send it. */
function cookie(agentId: string, token: string, seconds: number, { basePath, secure }: CookiePlace): string {
  const ending = secure ? '; Secure' : '';
  return `${cookieName(agentId)}=${token}; Path=${basePath || '/'}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${ending}`;
}
