import Koa from 'koa';

/** Koa without middleware, which answers 404 to everything: the upper limit for a service on Koa. */
const app = new Koa();
app.listen(Number(process.env['PORT']), process.env['HOST'], () => console.log('web is listening'));
