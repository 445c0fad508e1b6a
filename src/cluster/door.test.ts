import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { openListeners } from '../http/listeners.ts';
import { type Door, openDoor } from './door.ts';

const PLACE = { host: '127.0.0.1', port: 0 };

let door: Door;
let come: (socket: Socket) => void;
const close = vi.fn<() => void>();

const listen = vi.fn<typeof openListeners>();

/** A door to which tests bring what comes. */
async function openAt(isShared: boolean): Promise<void> {
  listen.mockImplementation((_place, onSocket) => {
    come = onSocket;
    return Promise.resolve({ port: 4000, isShared, close });
  });
  door = await openDoor(PLACE, listen);
}
beforeEach(() => openAt(true));
afterEach(() => vi.clearAllMocks());

/** A connection that has come. */
function arrive(): Socket {
  const socket = new Socket();
  come(socket);
  return socket;
}
const arriveMany = (many: number): readonly Socket[] => Array.from({ length: many }, arrive);

/** A worker that keeps what it is given, and what it is told. `isReached`: what is given arrives, and it says so. */
function enter(number: number, { isReached = true } = {}) {
  const given: Socket[] = [];
  const told: number[] = [];
  door.open(number, {
    give(socket, onGiven) {
      given.push(socket);
      if (isReached) onGiven(null);
    },
    thin: (many) => void told.push(many),
  });
  return { given, told, says: (open: number, taken = given.length) => door.heard(number, { open, taken }) };
}

describe('what comes', () => {
  it('goes to who has fewest, of those to who has waited longest', () => {
    const [one, two, three] = [enter(1), enter(2), enter(3)];
    arriveMany(7);
    expect([one, two, three].map(({ given }) => given.length)).toEqual([3, 2, 2]);
    const [eighth, ninth] = arriveMany(2);
    expect([two.given[2], three.given[2]]).toEqual([eighth, ninth]);
    for (const each of [one, two, three]) each.says(0);
    const tenth = arrive();
    one.says(0);
    const more = arriveMany(2);
    expect([one, two, three].map(({ given }) => given.at(-1))).toEqual([tenth, ...more]);
  });

  it('is counted by what the workers say of themselves, and what is on its way to them', () => {
    const [one, two] = [enter(1), enter(2)];
    arriveMany(4);
    // Two came to the first by its own door; of those that were given to the second one all have gone.
    one.says(4);
    two.says(0);
    arriveMany(4);
    expect([one, two].map(({ given }) => given.length)).toEqual([2, 6]);
    arriveMany(2);
    expect([one, two].map(({ given }) => given.length)).toEqual([3, 7]);
  });

  it('goes to others before one that takes nothing any more', () => {
    const [stuck, other] = [enter(1), enter(2)];
    arriveMany(2);
    other.says(1000);
    arriveMany(64);
    expect(stuck.given).toHaveLength(65);
    arriveMany(3);
    expect(stuck.given).toHaveLength(65);
    stuck.says(65);
    arriveMany(1);
    expect(stuck.given).toHaveLength(66);
  });

  it('waits for a worker, a thousand of them; the first that comes has all', () => {
    const waiting = arriveMany(1000);
    expect(arrive().destroyed).toBe(true);
    expect(waiting.some(({ destroyed }) => destroyed)).toBe(false);
    expect(enter(1).given).toEqual(waiting);
    expect(arrive().destroyed).toBe(false);
  });

  it('may break before anybody has it', () => {
    const socket = arrive();
    socket.emit('error', new Error('reset'));
    expect(socket.destroyed).toBe(true);
  });
});

describe('a worker that goes', () => {
  it('had some on their way to it: others have them, but for those that have gone', () => {
    const gone = enter(1, { isReached: false });
    const [lost, kept, broken] = arriveMany(3);
    const other = enter(2);
    broken?.destroy();
    door.shut(1);
    expect(gone.given).toEqual([lost, kept, broken]);
    expect(other.given).toEqual([lost, kept]);
  });

  it('takes what it has with it', () => {
    enter(1);
    arriveMany(3);
    const other = enter(2);
    door.shut(1);
    expect(other.given).toEqual([]);
  });

  it('was the only one: they wait for the next, which has the same number', () => {
    enter(1, { isReached: false });
    const given = [...arriveMany(2)];
    door.shut(1);
    given.push(arrive());
    expect(enter(1).given).toEqual(given);
  });

  it('says nothing any more', () => {
    const [one, two] = [enter(1), enter(2)];
    door.shut(1);
    one.says(100);
    two.says(10);
    expect([one.told, two.told]).toEqual([[], []]);
  });
});

describe('a worker with too many, where the port is shared', () => {
  it.each<[name: string, many: number, steps: readonly (readonly [who: number, open: number, told: readonly (readonly number[])[]])[]]>([
    [
      'is told how many more than an equal part, again with each report of its own, and 0 when it is even',
      2,
      [
        [0, 20, [[10], []]],
        [0, 20, [[10], []]],
        [0, 15, [[7], []]],
        [0, 2, [[1], []]],
        [0, 1, [[0], []]],
        [0, 1, [[], []]],
      ],
    ],
    [
      'is told of another count where others report, and not of the same',
      3,
      [
        [0, 30, [[20], [], []]],
        [1, 3, [[19], [], []]],
        [1, 3, [[], [], []]],
        [2, 30, [[9], [], [9]]],
        [1, 30, [[0], [], [0]]],
      ],
    ],
    [
      'is left alone with a twentieth too many',
      2,
      [
        [0, 100, [[50], []]],
        [1, 100, [[0], []]],
        [0, 110, [[], []]],
        [0, 111, [[5], []]],
      ],
    ],
  ])('%s', (_name, many, steps) => {
    const all = Array.from({ length: many }, (_, index) => enter(index + 1));
    for (const [who, open, told] of steps) {
      all[who]?.says(open);
      expect(all.map((each) => each.told.splice(0))).toEqual(told);
    }
  });

  it('has what is on its way to it, too', () => {
    const [one] = [enter(1), enter(2)];
    arriveMany(8);
    one.says(10, 2);
    expect(one.told).toEqual([4]);
  });

  it('has as many as it should when it is alone, and too many when another comes', () => {
    const one = enter(1);
    one.says(20);
    expect(one.told).toEqual([]);
    enter(2);
    one.says(20);
    expect(one.told).toEqual([10]);
    door.shut(2);
    one.says(20);
    expect(one.told).toEqual([10, 0]);
  });
});

it('a worker with too many is told nothing where the port is not shared', async () => {
  await openAt(false);
  const [one, two] = [enter(1), enter(2)];
  one.says(20);
  two.says(0);
  expect([one.told, two.told]).toEqual([[], []]);
  expect(door.isShared).toBe(false);
});

it('listens once, reads nothing of what comes, and when it closes lets go of what waits', () => {
  const waiting = arriveMany(2);
  expect(listen).toHaveBeenCalledExactlyOnceWith(PLACE, expect.any(Function), { many: 1, pauseOnConnect: true });
  expect(door.place).toEqual({ ...PLACE, port: 4000 });
  door.close();
  expect(close).toHaveBeenCalledOnce();
  expect(waiting.every(({ destroyed }) => destroyed)).toBe(true);
});
