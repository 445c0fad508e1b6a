import { lookup } from 'node:dns/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { badField, type GatewayError } from '../ir/index.ts';
import { mayReach } from './addresses.ts';

/*
 * URLs that clients name: a name is resolved once, every address of it checked, and a checked one dialled.
 */

const MAX_URL = 8192;

/** Says why a URL is not used. */
export type Refuse = (why: string, code: string) => GatewayError;

/** Refusals that name the client's field. */
export const refusal =
  (param: string): Refuse =>
  (why, code) =>
    badField(param, `The URL in '${param}' cannot be used: ${why}`, code);

/** The URL, if it is of a kind that is fetched at all. */
export function checkedUrl(text: string, refuse: Refuse): URL {
  const url = text.length <= MAX_URL && URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw refuse('it is not a complete http or https URL', 'invalid_url');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse('only http and https are fetched', 'invalid_url');
  if (url.username !== '' || url.password !== '') throw refuse('it holds a user name or password', 'invalid_url');
  return url;
}

/** The host without brackets and the dot at its end. The URL parser has already turned `0x7f.1`, `017700000001` and `１２７.1` into plain addresses. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

/** Every address of a host name, as the system knows them. */
export const systemResolve = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/** The addresses that are dialled. One that may not be reached among them spoils all: the name is not trusted. */
export async function checkedAddresses(
  host: string,
  resolve: (host: string) => Promise<readonly string[]>,
  allow: readonly string[],
  refuse: Refuse,
) {
  const addresses = isIP(host) === 0 ? await resolve(host).catch(() => []) : [host];
  if (addresses.length === 0) throw refuse('its host is not known', 'url_unreachable');
  if (!addresses.every((address) => mayReach(address, allow))) throw refuse('its host is not a public one', 'url_not_allowed');
  return addresses;
}

/** Answers a look-up with what was checked, so that a name which now resolves otherwise changes nothing. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all: wantsAll }, callback) => {
    if (wantsAll) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family);
  };
}

/** Says that a file is wanted as it is. */
export const FILE_HEADERS = { accept: '*/*', 'accept-encoding': 'identity' };

/** How it is asked. */
interface Asking extends Pick<http.RequestOptions, 'method' | 'timeout' | 'signal'> {
  readonly headers: Readonly<Record<string, string>>;
  /** Of its answer. */
  readonly maxHeaderSize: number;
}

/** Begins a request to one of the checked addresses of a URL. */
export function requestTo(url: URL, addresses: readonly string[], { headers, ...how }: Asking): http.ClientRequest {
  const host = hostOf(url);
  const { request } = url.protocol === 'https:' ? https : http;
  return request({
    ...how,
    host,
    // Else it is taken from the header, where a dot may end it that no certificate has.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    path: url.pathname + url.search,
    headers: { host: url.host, ...headers, 'user-agent': 'pailou' },
    lookup: pinned(addresses),
    // No connection of another request, to whatever its name led then.
    agent: false,
    ...(url.port === '' ? {} : { port: url.port }),
  });
}
