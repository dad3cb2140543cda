import type { RequestListener } from 'node:http';

/** Scheme and authority of an absolute URL with a path. */
const schemeAndAuthority = /^[a-z][a-z\d+.-]*:\/\/(?:\[[^\]/?#]*\]|[^[/?#])*(?=\/)/i;

/** Reduces a target in absolute form (`GET http://host/path`, RFC 9112, section 3.2.2) to its path, for all later listeners. */
export function acceptAbsoluteForm(next: RequestListener): RequestListener {
  return (request, response) => {
    const target = request.url!;
    if (!target.startsWith('/')) request.url = target.replace(schemeAndAuthority, '');
    next(request, response);
  };
}
