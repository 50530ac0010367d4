import { readSegment } from './input.js';
import { notFound } from './problem.js';
import type { Method, Route } from './route.js';

export interface Match {
  route: Route;
  params: Record<string, string>;
}

/** Finds the row of a request. */
export interface Router {
  /**
   * @param path below `/api/v1`. Undefined: the path is known, the method is not; then `methods` are those it has.
   * @throws ApiProblem API_NOT_FOUND
   */
  find(method: string, path: string): Match | { methods: Method[] };
}

interface Compiled {
  route: Route;
  segments: string[];
}

const nameOf = (segment: string): string | undefined => /^\{(\w+)\}$/.exec(segment)?.[1];

export function createRouter(routes: readonly Route[]): Router {
  const compiled: Compiled[] = routes.map((route) => ({ route, segments: route.path.slice(1).split('/') }));

  const matching = (path: string): Compiled[] => {
    const parts = path.slice(1).split('/');
    return compiled.filter(
      ({ segments }) =>
        segments.length === parts.length &&
        segments.every((segment, index) => nameOf(segment) !== undefined || segment === parts[index]),
    );
  };

  return {
    find(method, path) {
      const found = matching(path);
      if (found.length === 0) throw notFound('no operation has this path');
      const wanted = method === 'HEAD' ? 'GET' : method;
      const hit = found.find(({ route }) => route.method === wanted);
      if (!hit) return { methods: [...new Set(found.map(({ route }) => route.method))] };
      const parts = path.slice(1).split('/');
      const params: Record<string, string> = {};
      hit.segments.forEach((segment, index) => {
        const name = nameOf(segment);
        if (name) params[name] = readSegment(parts[index] ?? '');
      });
      return { route: hit.route, params };
    },
  };
}
