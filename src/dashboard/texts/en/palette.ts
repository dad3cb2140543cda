/** Texts of the command palette. */
export const paletteTexts = {
  title: 'Commands',
  field: 'Find a link, a screen or a job',
  placeholder: 'Find a link, a screen or a job, or paste a URL',
  open: (screen: string) => `Open ${screen}`,
  view: (name: string) => `View ${name}`,
  runJob: (job: string) => `Run ${job}`,
  shorten: (url: string) => `Shorten ${url}`,
  none: 'Nothing matches.',
};
