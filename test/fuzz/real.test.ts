import { expect, test } from 'vitest';
import { classes } from './real/classes.ts';
import { listMissed } from './real/report.ts';

/** The short form of `npm run test:real`. */
test.each(Object.keys(classes))('the %s of public data sets meet each goal', async (name) => {
  const rows = await classes[name]!();
  expect(rows).not.toEqual([]);
  expect(listMissed(rows)).toEqual([]);
});
