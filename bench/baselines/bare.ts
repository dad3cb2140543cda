import { createServer } from 'node:http';
import { hotUrls } from '../load/hot-urls.ts';

/** The reference for all ratios: Node's own server, which only answers redirects from a Map. */
const server = createServer((request, response) => {
  const originalUrl = hotUrls.get(request.url!.slice(1));
  if (originalUrl === undefined) response.writeHead(404, { 'Content-Length': '0' });
  else response.writeHead(301, { Location: originalUrl, 'Content-Length': '0' });
  response.end();
});
server.listen(Number(process.env['PORT']), process.env['HOST'], () => console.log('web is listening'));
