/** Texts of the Trash screen. */
export const trashTexts = {
  title: 'Trash',
  hint: 'Deleted links answer 404. They can be restored unchanged until they are purged.',
  code: 'Link',
  target: 'Target',
  deleted: 'Deleted',
  purged: 'Purged',
  restore: 'Restore',
  purge: 'Delete permanently',
  purgeTitle: (code: string) => `Delete ${code} permanently?`,
  purgeText: 'Its clicks are removed too. This cannot be undone.',
  purgedNow: (code: string) => `${code} is deleted permanently`,
  of: (action: string, code: string) => `${action}: ${code}`,
  empty: 'The trash is empty',
};
