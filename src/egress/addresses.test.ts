import { describe, expect, it } from 'vitest';
import { mayReach } from './addresses.ts';

const PUBLIC = [
  '8.8.8.8',
  '1.1.1.1',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.1',
  '198.17.0.1',
  '223.255.255.255',
];
const PUBLIC_V6 = [
  '2606:4700:4700::1111',
  '2a00:1450:4001::200e',
  '64:ff9b::8.8.8.8',
  '64:ff9b::808:808',
  '::ffff:8.8.8.8',
  '2001:4860:4860::8888',
];

const CLOSED: readonly (readonly [name: string, address: string])[] = [
  ['loopback', '127.0.0.1'],
  ['loopback, its end', '127.255.255.254'],
  ['unspecified, which is this machine', '0.0.0.0'],
  ['this network', '0.1.2.3'],
  ['private 10', '10.0.0.1'],
  ['private 172.16, its ends', '172.16.0.0'],
  ['private 172.16, its ends', '172.31.255.255'],
  ['private 192.168', '192.168.1.1'],
  ['carrier-grade NAT', '100.64.0.1'],
  ['Alibaba’s metadata', '100.100.100.200'],
  ['link-local metadata', '169.254.169.254'],
  ['ECS task metadata', '169.254.170.2'],
  ['Azure’s host', '168.63.129.16'],
  ['Oracle’s metadata', '192.0.0.192'],
  ['documentation', '203.0.113.9'],
  ['benchmarks', '198.19.255.255'],
  ['multicast', '224.0.0.251'],
  ['reserved', '250.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['IPv6 loopback', '::1'],
  ['IPv6 unspecified', '::'],
  ['IPv6 link-local', 'fe80::1'],
  ['IPv6 link-local on a card', 'fe80::1%eth0'],
  ['IPv6 site-local', 'fec0::1'],
  ['IPv6 unique local', 'fd12:3456::1'],
  ['AWS metadata over IPv6', 'fd00:ec2::254'],
  ['IPv6 multicast', 'ff02::1'],
  ['IPv6 documentation', '2001:db8::1'],
  ['mapped loopback', '::ffff:127.0.0.1'],
  ['mapped loopback in hexadecimal', '::ffff:7f00:1'],
  ['mapped, written out', '0:0:0:0:0:ffff:a9fe:a9fe'],
  ['mapped the SIIT way', '::ffff:0:127.0.0.1'],
  ['compatible loopback', '::127.0.0.1'],
  ['NAT64 of a private address', '64:ff9b::10.0.0.1'],
  ['NAT64 of metadata', '64:ff9b::a9fe:a9fe'],
  ['local NAT64', '64:ff9b:1::8.8.8.8'],
  ['6to4 of a private address', '2002:a00:1::'],
  ['6to4', '2002:808:808::1'],
  ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ['discard only', '100::1'],
  ['no address', 'localhost'],
  ['nothing', ''],
];

describe('where a URL of a client may lead', () => {
  it.each([...PUBLIC, ...PUBLIC_V6])('%s: yes', (address) => expect(mayReach(address, [])).toBe(true));
  it.each(CLOSED)('%s (%s): no', (_name, address) => expect(mayReach(address, [])).toBe(false));
});

describe('what the operator allows', () => {
  it.each([
    { allow: '127.0.0.0/8', yes: ['127.0.0.1', '::ffff:127.0.0.1', '127.9.9.9'], no: ['10.0.0.1', '::1'] },
    { allow: '10.1.2.3', yes: ['10.1.2.3', '64:ff9b::10.1.2.3'], no: ['10.1.2.4'] },
    { allow: '10.20.0.0/15', yes: ['10.20.0.1', '10.21.255.255'], no: ['10.22.0.0', '10.19.255.255'] },
    { allow: 'fd00::/8', yes: ['fd00::1', 'fdff::1'], no: ['fc00::1', 'fe80::1'] },
    { allow: 'fd00:1:2::/47', yes: ['fd00:1:2::1', 'fd00:1:3::1'], no: ['fd00:1:4::1'] },
    { allow: '::1', yes: ['::1', '0:0::1'], no: ['::2', '127.0.0.1'] },
    { allow: '0.0.0.0/0', yes: ['127.0.0.1', '169.254.169.254'], no: ['::1'] },
  ])('$allow', ({ allow, yes, no }) => {
    for (const address of yes) expect([address, mayReach(address, [allow])]).toEqual([address, true]);
    for (const address of no) expect([address, mayReach(address, [allow])]).toEqual([address, false]);
  });
});
