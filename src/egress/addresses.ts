import { isIP } from 'node:net';

/** A range of addresses: those that begin with the first `bits` of `bytes`. IPv4 has 4 bytes, IPv6 16. */
interface Range {
  readonly bytes: readonly number[];
  readonly bits: number;
}

const bytesOfV4 = (text: string): readonly number[] => text.split('.').map(Number);

function groupsOf(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return bytesOfV4(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The bytes of an address; `undefined` for what is none, or is bound to a network card (`fe80::1%eth0`). */
function bytesOf(address: string): readonly number[] | undefined {
  const family = isIP(address);
  if (family === 4) return bytesOfV4(address);
  if (family !== 6 || address.includes('%')) return undefined;
  const [head = '', tail] = address.split('::');
  const before = groupsOf(head);
  if (tail === undefined) return before;
  const after = groupsOf(tail);
  return [...before, ...Array.from({ length: 16 - before.length - after.length }, () => 0), ...after];
}

function rangeOf(text: string): Range | undefined {
  const [address = '', bits] = text.split('/');
  const bytes = bytesOf(address);
  return bytes && { bytes, bits: bits === undefined ? bytes.length * 8 : Number(bits) };
}

function isIn({ bytes, bits }: Range, address: readonly number[]): boolean {
  if (bytes.length !== address.length) return false;
  return bytes.every((byte, at) => {
    const left = Math.min(8, Math.max(0, bits - at * 8));
    const mask = (0xff << (8 - left)) & 0xff;
    return (byte & mask) === ((address[at] ?? 0) & mask);
  });
}

const ranges = (...texts: readonly string[]): readonly Range[] => texts.flatMap((text) => rangeOf(text) ?? []);

/** IPv6 forms of IPv4 addresses: mapped, and NAT64's. What counts is the address inside. */
const WRAPPINGS = ranges('::ffff:0:0/96', '64:ff9b::/96');

/** https://www.iana.org/assignments/iana-ipv4-special-registry and what clouds put on addresses that look public. */
const SPECIAL_V4 = ranges(
  '0.0.0.0/8', // this network; Linux takes it for itself
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT; Alibaba's metadata
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // Azure's host
  '169.254.0.0/16', // link-local; everybody's metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments; Oracle's metadata
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved; broadcast
);

/** Everything outside is local, reserved or multicast: `::1`, `fe80::`, `fc00::`, `fec0::`, `ff00::`, `64:ff9b:1::` … */
const GLOBAL_V6 = ranges('2000::/3');

/** https://www.iana.org/assignments/iana-ipv6-special-registry, the part inside 2000::/3. */
const SPECIAL_V6 = ranges(
  '2001::/23', // protocol assignments: Teredo, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4: an IPv4 address inside, by way of a relay
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
);

const isInSome = (all: readonly Range[], address: readonly number[]): boolean => all.some((range) => isIn(range, address));

function isPublic(address: readonly number[]): boolean {
  if (address.length === 4) return !isInSome(SPECIAL_V4, address);
  return isInSome(GLOBAL_V6, address) && !isInSome(SPECIAL_V6, address);
}

/** Whether a URL that a client names may lead to an address: a public one, or one that the operator allowed (addresses and CIDR ranges). */
export function mayReach(address: string, allow: readonly string[]): boolean {
  const bytes = bytesOf(address);
  if (!bytes) return false;
  const inner = isInSome(WRAPPINGS, bytes) ? bytes.slice(12) : bytes;
  const allowed = ranges(...allow);
  return isPublic(inner) || isInSome(allowed, inner) || isInSome(allowed, bytes);
}
