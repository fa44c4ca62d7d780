export const address = {
  address: {
    unknown: 'The address of this page asks for something that is not known here, and that is left aside: {parts}',
    clear: 'Clear',
  },
};
