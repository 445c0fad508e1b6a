/** Where one protocol of a provider is called. */
export interface Place {
  readonly origin: string;
  /** Path that the codec's own is added to; no slash at the end. */
  readonly basePath: string;
}

/** An operator's address: origin, and path without a slash at the end. */
export interface Address {
  readonly origin: string;
  readonly path: string;
}

/** What people paste from a vendor's page behind the base. */
const ENDPOINTS = ['/chat/completions', '/completions', '/responses', '/messages', '/embeddings', '/models'];

const VERSION = /\/v\d{1,3}(?:(?:alpha|beta)\d{0,2})?$/;

/** The version segment at the end of a path: `/v1`, `/v1beta`; empty when there is none. */
const versionOf = (path: string): string => VERSION.exec(path)?.[0] ?? '';

const withoutVersion = (path: string): string => path.slice(0, path.length - versionOf(path).length);

/** Reads an address as an operator writes it. Throws with `what` in front when it is none. */
export function readAddress(text: string, what: string): Address {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error(`${what} is not a URL: '${text}'. Write it as http://host:port or https://host/v1`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`${what} must begin with http:// or https://: '${text}'`);
  if (url.username !== '' || url.password !== '') throw new Error(`${what} must not hold a user name or password: use 'key' or 'headers'`);
  if (url.search !== '' || url.hash !== '') throw new Error(`${what} must not hold a query ('?') or a fragment ('#')`);
  let path = url.pathname.replaceAll(/\/{2,}/g, '/').replace(/\/$/, '');
  const endpoint = ENDPOINTS.find((one) => path.endsWith(one));
  if (endpoint !== undefined) path = path.slice(0, -endpoint.length);
  return { origin: url.origin, path };
}

/** `path` without `base` at its end, whole segments only; `undefined` when it does not end so. */
function cutBase(path: string, base: string): string | undefined {
  return base !== '' && path.endsWith(base) ? path.slice(0, -base.length) : undefined;
}

/** The root under which `path` is this base, with or without the version that either has. */
function rootBelow(path: string, base: string): string | undefined {
  const bare = withoutVersion(base);
  return cutBase(path, base) ?? cutBase(path, bare) ?? (versionOf(path) === '' ? undefined : cutBase(withoutVersion(path), base));
}

/**
 * Where each protocol is under one address that is the root of all: `http://x`, `http://x/v1` and `http://x/v1/` mean the
 * same, and so does an address that ends in the base of one of the protocols. An address that ends in another version
 * segment is the base itself for the preferred protocol, and for those that share its base. `own`: the address is on the
 * vendor's own host, where protocols with other bases stay where the vendor has them.
 */
export function placesUnder<Id>(address: Address, bases: ReadonlyMap<Id, string>, own: boolean): ReadonlyMap<Id, Place> {
  const { origin, path } = address;
  const at = (place: (base: string) => string): ReadonlyMap<Id, Place> =>
    new Map([...bases].map(([id, base]) => [id, { origin, basePath: place(base) }]));
  const longestFirst = [...new Set(bases.values())].sort((a, b) => b.length - a.length);
  for (const base of longestFirst) {
    const root = rootBelow(path, base);
    if (root !== undefined) return at((each) => root + each);
  }
  if (versionOf(path) === '') return at((each) => path + each);
  const [first] = bases.values();
  const root = own ? '' : withoutVersion(path);
  return at((base) => (base === first || base === versionOf(base) ? path : root + base));
}

/**
 * Where one protocol is under an address given for it alone: the base itself, its version segment left out or not; without
 * any path it is the root.
 */
export function placeAt(address: Address, base: string): Place {
  const { origin, path } = address;
  if (path === '') return { origin, basePath: base };
  const root = rootBelow(path, base);
  if (root !== undefined) return { origin, basePath: root + base };
  return { origin, basePath: versionOf(path) === '' ? path + versionOf(base) : path };
}
