import { userInfo } from 'node:os';

/** Of who runs this. Containers may do it as a user that has no name. */
export function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
