/** Addresses of endpoints that are asked for rows. */

/** What is wrong with one, and what to do; null for one that can be asked. @param hasKey an API key goes there */
export function addressFault(text: string, hasKey: boolean): { what: string; next: string } | null {
  if (!URL.canParse(text)) return { what: 'this is no address', next: 'write it like http://127.0.0.1:11434/v1' };
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return { what: `${url.protocol}// is not asked`, next: 'write an address of http or https' };
  }
  if (url.username !== '' || url.password !== '') {
    return {
      what: 'the address holds a name or a password',
      next: 'put the key into a variable, named by api_key_env; an agent has it from its admin',
    };
  }
  if (url.search !== '' || url.hash !== '') {
    return { what: 'the address has something behind ? or #', next: 'remove it: what is asked is its path alone' };
  }
  if (url.pathname.endsWith('/chat/completions')) {
    return {
      what: '`/chat/completions` is added by Anneal',
      next: `write ${text.replace(/\/chat\/completions$/, '')}`,
    };
  }
  if (hasKey && url.protocol === 'http:' && !isThisMachine(url.hostname)) {
    return {
      what: 'an API key would be sent there in the clear',
      next: 'write https, open a tunnel (ssh -L), or leave the key out if the server needs none',
    };
  }
  return null;
}

export const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

const isThisMachine = (host: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);
