const listed = document.documentElement.dataset['apiPaths'] ?? '';
const paths = new Set(listed.split(' '));

/** Whether the service has operations at a path: it lists its paths in the page. The development server lists none, and has all. */
export const isAvailable = (path: `/api/v1/${string}`): boolean => listed === '' || paths.has(path);
