import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createReadSize, type ReadSize } from './read-size.ts';

const LARGE = 64 * 1024;
const SPARING = 16 * 1024;
const LONG = 8 * 1024;
const EVENTS = { 'content-type': 'text/event-stream' };
const FILE = { 'content-type': 'video/mp4', 'content-length': '1000000000' };
const JSON_BODY = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };

const waited = async (size: ReadSize): Promise<void> => {
  size.read(true);
  await turn();
  await turn();
  size.resumed();
};
const many = (size: ReadSize, reads: number): void => {
  for (let at = 0; at < reads; at++) size.read(false);
};

it.each<{ name: string; headers: Record<string, string>; next?: (size: ReadSize) => Promise<void> | void; bytes: number }>([
  { name: 'an answer of events', headers: EVENTS, bytes: SPARING },
  { name: 'sound without a length', headers: { 'content-type': 'audio/mpeg' }, bytes: SPARING },
  { name: 'a file', headers: FILE, bytes: LARGE },
  { name: 'JSON without a length', headers: JSON_BODY, bytes: LARGE },
  { name: 'a file whose client does not keep up', headers: FILE, next: waited, bytes: SPARING },
  {
    name: 'a file whose reader asks to wait and goes on at once',
    headers: FILE,
    next: (size) => {
      size.read(true);
      size.resumed();
      return turn();
    },
    bytes: LARGE,
  },
  { name: 'a file whose client keeps up again', headers: FILE, next: (size) => waited(size).then(() => many(size, 64)), bytes: LARGE },
  { name: 'events that came often', headers: EVENTS, next: (size) => many(size, 1000), bytes: LONG },
  {
    name: 'events of an answer after a long one',
    headers: EVENTS,
    next: (size) => (many(size, 1000), size.end(), size.head(EVENTS)),
    bytes: SPARING,
  },
  { name: 'the next answer', headers: EVENTS, next: (size) => size.end(), bytes: LARGE },
])('of $name $bytes bytes are read at once', async ({ headers, next, bytes }) => {
  const size = createReadSize();
  expect(size.next().length).toBe(LARGE);
  size.head(headers);
  await next?.(size);
  expect(size.next().length).toBe(bytes);
});

it.each<{ name: string; headers: Record<string, string>; next: (size: ReadSize) => Promise<void> | void; bytes: number }>([
  { name: 'events', headers: EVENTS, next: (size) => many(size, 1), bytes: 32 * 1024 },
  { name: 'events that came often', headers: EVENTS, next: (size) => many(size, 1000), bytes: 32 * 1024 },
  { name: 'events whose client does not keep up', headers: EVENTS, next: waited, bytes: SPARING },
  { name: 'a file', headers: FILE, next: (size) => many(size, 1), bytes: LARGE },
])('where there is more to do than can be done, of $name $bytes bytes', async ({ headers, next, bytes }) => {
  const size = createReadSize();
  size.head(headers);
  await next(size);
  expect(size.next(true).length).toBe(bytes);
});
