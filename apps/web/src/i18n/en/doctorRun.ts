export const doctorRun = {
  doctorRun: {
    about: 'What looks wrong in what this run recorded, the worst first.',
    goesOn: 'The run goes on: this is about what it has recorded so far.',
    away: 'The agent cannot be reached. It looks when it is back.',
    begins: 'Beginning…',
    events: 'Reading the log…',
    rows: 'Looking at the rows…',
    texts: 'Looking at template and ends of answers…',
    cancel: 'Cancel',
    look: 'Look at the run',
    again: 'Look again',
    healthy: 'Nothing looks wrong.',
    findings: '{count, plural, one {# finding} other {# findings}}',
    change: 'Change of the recipe, and the same for the command line',
    inEditor: 'Open in the editor with this change',
    differs:
      '{recipe} is not as this run had it: it was changed since, or the run was started with settings of its own.',
    noRecipe:
      'No recipe of the folder that is served has the text or the name of this run, so none can be opened: copy the lines.',
    unchecked: 'Not looked at',
  },
};
