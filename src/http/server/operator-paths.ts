export const boardPath = '/admin/queues';

/** Whether a path belongs to Bull Board. */
export const isBoard = (path: string): boolean => path === boardPath || path.startsWith(`${boardPath}/`);

/** Paths that operators need while the service is overloaded: health, metrics and Bull Board. */
const operatorPaths = /^\/(?:health(?:\/live|\/ready)?|metrics|admin\/queues(?:\/.*)?)$/;

/** Whether a request target is served even under overload. */
export const isForOperators = (url: string): boolean => operatorPaths.test(url.split('?', 1)[0]!);
