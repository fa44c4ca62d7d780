import { connectionState } from './connection.ts';

const mostTries = 3;

/**
 * Loads a part of a page that comes after it. While the agent is away it is asked for again, so that no page ends for it.
 * @throws what `load` throws, where the agent is there and has no such part: it is of another version than the page
 */
export async function fetchPart<T>(load: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await load();
    } catch (error) {
      if (connectionState.get() === 'lost') tries = 0;
      else if (tries >= mostTries) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
