export const boardPath = '/admin/queues';

/** Whether a path is one of Bull Board's. */
export const isBoard = (path: string): boolean => path === boardPath || path.startsWith(`${boardPath}/`);

/** What operators look at when a service has too much to do: health, metrics, and Bull Board with all below it. */
const operatorPaths = /^\/(?:health(?:\/live|\/ready)?|metrics|admin\/queues(?:\/.*)?)$/;

/** Whether a request's target is answered whatever else is refused. */
export const isForOperators = (url: string): boolean => operatorPaths.test(url.split('?', 1)[0]!);
