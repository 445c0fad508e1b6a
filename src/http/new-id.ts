import { randomFillSync } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const POOL = Buffer.alloc(4096);
let at = POOL.length;

function randomLetters(count: number): string {
  if (at + count > POOL.length) {
    randomFillSync(POOL);
    at = 0;
  }
  let out = '';
  for (let i = 0; i < count; i++) out += CROCKFORD[(POOL[at++] as number) & 31];
  return out;
}

let lastMs = 0;
let lastTime = '';

/** A ULID: 48 bits of time, 80 bits of chance, in order of time. https://github.com/ulid/spec */
export function ulid(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastTime = '';
    for (let rest = ms, i = 0; i < 10; i++) {
      lastTime = (CROCKFORD[rest % 32] as string) + lastTime;
      rest = Math.floor(rest / 32);
    }
  }
  return lastTime + randomLetters(16);
}
