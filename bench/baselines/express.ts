import express from 'express';
import pg from 'pg';

/** A common design: look up the code in PostgreSQL, increment its counter there, redirect. With `KEEPS_VISITS` each visit is a row as well. */
const keepsVisits = process.env['KEEPS_VISITS'] === 'true';
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });
const app = express();
// oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 answers what such a handler rejects with.
app.get('/:code', async (request, response) => {
  const { code } = request.params;
  const { rows } = await pool.query<{ original_url: string }>(
    'select original_url from usual_urls where short_code = $1',
    [code],
  );
  const [url] = rows;
  if (url === undefined) {
    response.sendStatus(404);
    return;
  }
  if (keepsVisits)
    await pool.query('insert into usual_visits (short_code, user_agent, referrer) values ($1, $2, $3)', [
      code,
      request.get('user-agent') ?? null,
      request.get('referer') ?? null,
    ]);
  await pool.query('update usual_urls set clicks = clicks + 1 where short_code = $1', [code]);
  response.redirect(301, url.original_url);
});
app.listen(Number(process.env['PORT']), process.env['HOST']!, () => console.log('web is listening'));
