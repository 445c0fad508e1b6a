import { BlockList, isIP } from 'node:net';

/** What of the environment says. */
type Env = Readonly<Record<string, string | undefined>>;

const read = (env: Env, name: string): string | undefined => {
  const value = (env[name] ?? env[name.toUpperCase()])?.trim();
  return value === '' ? undefined : value;
};

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** A network in `10.0.0.0/8`'s form, or `undefined`. */
function networkOf(text: string): BlockList | undefined {
  const [address = '', bits] = text.split('/');
  if (bits === undefined || isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (isIP(address) === 6 ? 128 : 32))
    return undefined;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family(address));
  return list;
}

/** One entry of `NO_PROXY`: a host and those below it, with a port or without; an address; a network; `*`. */
function exception(text: string): (host: string, port: string) => boolean {
  if (text === '*') return () => true;
  const network = networkOf(text);
  if (network) return (host) => isIP(host) !== 0 && network.check(host, family(host));
  const bare = isIP(text) === 6 ? [text, undefined] : [text.replace(/:\d+$/, ''), /:(\d+)$/.exec(text)?.[1]];
  const name = String(bare[0])
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^\*?\./, '');
  return (host, port) => (bare[1] === undefined || bare[1] === port) && (host === name || host.endsWith(`.${name}`));
}

/**
 * The proxy that the environment names for an origin: `https_proxy`, `http_proxy` and `no_proxy`, in small letters or capitals. This
 * machine itself is never reached through one.
 */
export function createProxyOf(env: Env): (origin: string) => string | undefined {
  const proxies: Readonly<Record<string, string | undefined>> = { 'http:': read(env, 'http_proxy'), 'https:': read(env, 'https_proxy') };
  if (proxies['http:'] === undefined && proxies['https:'] === undefined) return () => undefined;
  const exceptions = (read(env, 'no_proxy') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .map(exception);
  return (origin) => {
    const { protocol, hostname, port } = new URL(origin);
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    if (host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && loopback.check(host, family(host)))) return undefined;
    const at = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
    return exceptions.some((isExcepted) => isExcepted(host, at)) ? undefined : proxies[protocol];
  };
}
