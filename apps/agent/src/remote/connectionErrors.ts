/** Why an agent is not reached, in words, and what to do about it. */
import { UserError } from '@anneal/core/errors';

interface Advice {
  what: string;
  next: string;
}

const trustIt =
  'if it is the certificate of your agent, name it: --ca-file agent.pem (copy it from the server, not from the connection)';

const certificates: Readonly<Record<string, Advice>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    what: 'its certificate is signed by itself, and nobody here vouches for it',
    next: trustIt,
  },
  SELF_SIGNED_CERT_IN_CHAIN: {
    what: 'its certificate comes from an authority that this machine does not know',
    next: trustIt,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    what: 'its certificate comes from an authority that this machine does not know',
    next: `${trustIt}, or let the agent send the certificates in between as well`,
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    what: 'its certificate comes from an authority that this machine does not know',
    next: trustIt,
  },
  CERT_HAS_EXPIRED: {
    what: 'its certificate has expired',
    next: 'renew it where the agent runs, then start that again',
  },
  CERT_NOT_YET_VALID: { what: 'its certificate does not hold yet', next: 'look at the clocks of both machines' },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    what: 'its certificate is for another name',
    next: 'use the name for which it was made; a tunnel to 127.0.0.1 needs a certificate with that address, or an agent without TLS',
  },
};

const ways: Readonly<Record<string, Advice>> = {
  ECONNREFUSED: {
    what: 'nobody listens there',
    next: 'start the agent (anneal serve), or look whether the tunnel is open and the port is right',
  },
  ENOTFOUND: { what: 'there is no machine of this name', next: 'check the name, and that you are in its network' },
  EAI_AGAIN: { what: 'the name could not be looked up', next: 'check the network of this machine' },
  ETIMEDOUT: { what: 'it does not answer', next: 'check that the machine is on, and that a firewall lets you pass' },
  EHOSTUNREACH: { what: 'there is no way to this machine', next: 'check that you are in its network' },
  ECONNRESET: {
    what: 'the connection was broken off',
    next: 'try again; for https the agent has to be served with TLS',
  },
  EPROTO: { what: 'it does not speak TLS', next: 'use http for an agent without TLS, through a tunnel' },
};

export function connectionError({ origin }: URL, cause: Error): UserError {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const certificate = certificates[code];
  const { what, next } = certificate ??
    ways[code] ?? {
      what: `it cannot be reached (${code || cause.message})`,
      next: 'check the address and the network',
    };
  return new UserError({
    what: `${certificate ? 'the agent is not trusted' : 'the agent is not reached'}: ${what}`,
    where: origin,
    next,
    code: certificate ? 'remote_certificate' : 'remote_not_reached',
    cause,
  });
}

const refusals: Readonly<Record<number, Advice>> = {
  401: {
    what: 'the token does not open this agent: it is wrong, was revoked, or has no role',
    next: 'make one where the agent runs: anneal token create laptop --scope operator (or viewer, editor)',
  },
  403: {
    what: 'the agent is not called by this name',
    next: 'start it with --allow-host and the name that you use',
  },
  404: { what: 'no agent answers there', next: 'check address and port, and the path where a proxy stands before it' },
};

export function refusedSocket({ href }: URL, status: number): UserError {
  const { what, next } = refusals[status] ?? {
    what: `the agent refuses the connection (HTTP ${status})`,
    next: 'a proxy before it has to pass on WebSockets; the output of the agent says what was refused',
  };
  return new UserError({ what, where: href, next, code: 'remote_refused' });
}
