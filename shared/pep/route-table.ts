export type FetchRoute = {
  /** The pattern, as in `/documents/:id`. */
  readonly route: string;
  readonly params: Readonly<Record<string, string>>;
};

type Entry<T> = { method: string; route: string; segments: readonly string[]; value: T };

/**
 * Routes for handlers that have no router. `GET /documents/:id`: segments match by every byte, case included; `:name`
 * matches one segment. The first match in order of declaration wins. A trailing slash is part of a route.
 */
export function createRouteTable<T>(
  routes: Readonly<Record<string, T>>,
): (method: string, path: string) => (FetchRoute & { readonly value: T }) | undefined {
  const entries = Object.entries(routes).map(([key, value]) => toEntry(key, value));
  return (method, path) => {
    const segments = path.split('/').slice(1);
    for (const { value, route, ...entry } of entries) {
      const params = entry.method === method ? matchSegments(entry.segments, segments) : undefined;
      if (params !== undefined) return { route, params, value };
    }
    return undefined;
  };
}

const routePattern = /^([A-Z]+) (\/(?:[\w.~-]*|:[A-Za-z_]\w*)(?:\/(?:[\w.~-]*|:[A-Za-z_]\w*))*)$/;

function toEntry<T>(key: string, value: T): Entry<T> {
  const [, method, route] = routePattern.exec(key) ?? [];
  if (method === undefined || route === undefined) {
    throw new TypeError(`A route is written "GET /documents/:id", not "${key}"`);
  }
  return { method, route, segments: route.split('/').slice(1), value };
}

function matchSegments(pattern: readonly string[], path: readonly string[]) {
  if (pattern.length !== path.length) return undefined;
  const params: [string, string][] = [];
  for (const [index, wanted] of pattern.entries()) {
    const given = path[index] ?? '';
    if (!wanted.startsWith(':')) {
      if (wanted !== given) return undefined;
      continue;
    }
    const value = decodeSegment(given);
    if (value === undefined) return undefined;
    params.push([wanted.slice(1), value]);
  }
  return Object.fromEntries(params);
}

/**
 * One decoding, so that the question and the handler are about the same text. What a later step could take for more
 * than one segment (`%2f`, `%5c`, dot segments) or cut short (controls) is no value at all.
 */
function decodeSegment(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text);
    return value === '' || /^\.{1,2}$|[/\\\p{Cc}]/u.test(value) ? undefined : value;
  } catch {
    return undefined;
  }
}
