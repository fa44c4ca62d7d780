export const remarks = {
  remarks: {
    tags: 'Tags',
    newTag: 'New tag',
    add: 'Add',
    removeTag: 'Remove the tag {tag}',
    tagForm: 'A tag is a word of letters, digits, dots, dashes and underscores, of at most 40 characters.',
    note: 'Note',
    write: 'Write a note',
    edit: 'Edit',
    save: 'Save',
    cancel: 'Cancel',
    by: '{name}, {time}',
    filter: 'Only runs with the tag',
  },
};
