import { expect, test } from 'vitest';
import { useDatabase } from '../../support/resources.ts';
import { describeSchema } from '../../support/services/describe-schema.ts';

const { db } = useDatabase();

const header = `-- The schema that the migrations create, for reading. The folder migrations/ explains each table.
-- Made by: npm run schema\n\n`;

test('docs/schema.sql shows the schema that the migrations create', async () => {
  const schema = await describeSchema(db());
  await expect(header + schema).toMatchFileSnapshot('../../../docs/schema.sql');
});
