export const seeds = {
  seeds: {
    title: 'Several seeds',
    group: 'Runs that differ in their seeds alone',
    count: '{count, plural, one {# seed} other {# seeds}}',
    seeds: 'seeds {seeds}',
    loss: 'Loss',
    validation: 'Validation',
    compare: 'Compare',
    hint: 'Mean ± standard deviation over the seeds; – where a run has no value.',
    curves: 'Runs that differ in their seeds',
    together: 'Seeds together',
    each: 'Each seed',
  },
};
