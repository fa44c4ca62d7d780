/** Of a card of the settings: no other page loads it. */
export const about = {
  title: 'About Anneal',
  version: 'Version',
  host: 'Machine',
  folder: 'Folder',
  license: 'License',
  licensesOfOthers: 'Third-party licenses',
};
