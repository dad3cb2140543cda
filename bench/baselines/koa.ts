import Koa from 'koa';

/** Koa without a middleware, which answers 404 to everything: what a service on Koa could be at best. */
const app = new Koa();
app.listen(Number(process.env['PORT']), process.env['HOST'], () => console.log('web is listening'));
