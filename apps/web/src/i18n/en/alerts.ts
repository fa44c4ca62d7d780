export const alerts = {
  alert: {
    title: '{count, plural, one {# alert} other {# alerts}}',
    kinds: {
      not_finite: 'Not finite',
      loss_spike: 'Loss spike',
      stalled: 'Stalled',
      disk_nearly_full: 'Disk nearly full',
    },
    badge: '{count, plural, one {# alert} other {# alerts}}: {kinds}',
    step: 'Step {step}',
    lasts: 'still so',
    acknowledge: 'Acknowledge',
    acknowledgeAll: 'Acknowledge all',
    seen: '{count, plural, one {# acknowledged alert} other {# acknowledged alerts}}',
    seenBy: '{name}, {time}',
  },
};
