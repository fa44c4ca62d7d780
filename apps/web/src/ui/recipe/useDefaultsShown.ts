import { useState } from 'react';

const storageKey = 'anneal-recipe-defaults';

/** Whether the defaults are shown in the text, as chosen in this browser; else where lines are wide enough for them. */
export function useDefaultsShown(): [boolean, (isShown: boolean) => void] {
  const [isShown, setIsShown] = useState(() => {
    const chosen = localStorage.getItem(storageKey);
    return chosen === null ? matchMedia('(min-width: 64rem)').matches : chosen === 'shown';
  });
  const choose = (wanted: boolean) => {
    localStorage.setItem(storageKey, wanted ? 'shown' : 'hidden');
    setIsShown(wanted);
  };
  return [isShown, choose];
}
