import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Made once for a list, which comes with the configuration. */
const known = new WeakMap<readonly string[], BlockList>();

function listOf(ranges: readonly string[]): BlockList {
  const made = known.get(ranges);
  if (made) return made;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  known.set(ranges, list);
  return list;
}

/** An IPv4 address that a socket for both families tells of. https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2 */
const MAPPED = /^::ffff:(?=\d+\.)/i;
/** `[2001:db8::1]:443`, and `192.0.2.1:443`. */
const BRACKETED = /^\[([^\]]*)\](?::\d+)?$/;
const WITH_PORT = /^([\d.]+):\d+$/;

/** As proxies write it, without a port; `undefined` where it is no address (`unknown`, a name). */
function addressIn(text: string): string | undefined {
  const trimmed = text.trim();
  const bare = (BRACKETED.exec(trimmed)?.[1] ?? WITH_PORT.exec(trimmed)?.[1] ?? trimmed).replace(MAPPED, '');
  return isIP(bare) === 0 ? undefined : bare;
}

/**
 * The address that a call came from: of the connection, or, where that is a proxy of `trusted` (addresses and CIDR ranges), of who is the last
 * in `X-Forwarded-For` that is none: each proxy adds at the end whom it was called by, and what stands before that anybody may have
 * written. https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/X-Forwarded-For
 */
export function clientAddress(
  { socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>,
  trusted: readonly string[],
): string | undefined {
  let address = socket.remoteAddress?.replace(MAPPED, '');
  if (address === undefined || trusted.length === 0) return address;
  const list = listOf(trusted);
  const said = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  while (list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) {
    const before = addressIn(said.pop() ?? '');
    if (before === undefined) break;
    address = before;
  }
  return address;
}
