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

/** The session's token that a request brings. */
export function sessionIn(header: string | undefined, agentId: string): string | undefined {
  const wanted = `${cookieName(agentId)}=`;
  for (const part of (header ?? '').split(';')) {
    const pair = part.trim();
    if (pair.startsWith(wanted)) return pair.slice(wanted.length);
  }
  return undefined;
}

/** The page reads no cookie, and no other site's page makes a browser send it. */
function cookie(agentId: string, token: string, seconds: number, { basePath, secure }: CookiePlace): string {
  const ending = secure ? '; Secure' : '';
  return `${cookieName(agentId)}=${token}; Path=${basePath || '/'}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${ending}`;
}
