import { describe, expect, it } from 'vitest';
import { type ByteQueue, createByteQueue } from './byte-queue.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

/** A queue, and what it says. */
function spied(most: number): { readonly queue: ByteQueue; readonly said: string[] } {
  const said: string[] = [];
  const queue = createByteQueue({ room: () => void said.push('room'), left: () => void said.push('left') }, most);
  return { queue, said };
}

async function readAll(queue: ByteQueue): Promise<string> {
  let text = '';
  try {
    for await (const piece of queue) text += piece.toString();
  } catch (error) {
    text += ` ${String(error)}`;
  }
  return text;
}

describe('a queue of bytes', () => {
  it('gives all that came, in order, before its reader and while it waits', async () => {
    const { queue } = spied(4);
    queue.push(bytes('a'));
    queue.push(bytes('b'));
    const read = readAll(queue);
    await Promise.resolve();
    queue.push(bytes('c'));
    queue.push(bytes('d'));
    queue.end();
    queue.push(bytes('e'));
    expect(await read).toBe('abcd');
    expect(queue.isOver()).toBe(true);
  });

  it('gives what came before it failed, and then why', async () => {
    const { queue, said } = spied(4);
    queue.push(bytes('a'));
    queue.fail(new Error('cut'));
    queue.end();
    expect(await readAll(queue)).toBe('a Error: cut');
    expect(await readAll(queue)).toBe('');
    expect(said).toEqual([]);
  });

  it('fails its reader that waits', async () => {
    const { queue } = spied(0);
    const read = readAll(queue);
    queue.fail(new Error('cut'));
    expect(await read).toBe(' Error: cut');
  });

  it('asks to wait when it is full, and says when its reader waits', async () => {
    const { queue, said } = spied(2);
    expect([queue.push(bytes('a')), queue.push(bytes('b')), queue.push(bytes('c'))]).toEqual([true, false, false]);
    const reader = queue[Symbol.asyncIterator]();
    for (let count = 0; count < 3; count++) await reader.next();
    expect(said).toEqual([]);
    const waiting = reader.next();
    expect(said).toEqual(['room']);
    expect(queue.push(bytes('d'))).toBe(true);
    expect((await waiting).value?.toString()).toBe('d');
  });

  it('reads nothing ahead where it may hold nothing', async () => {
    const { queue, said } = spied(0);
    const reader = queue[Symbol.asyncIterator]();
    const first = reader.next();
    expect(said).toEqual(['room']);
    expect(queue.push(bytes('a'))).toBe(false);
    await first;
    expect(said).toEqual(['room']);
    expect(queue.push(bytes('b'))).toBe(false);
    expect((await reader.next()).value?.toString()).toBe('b');
    expect(said).toEqual(['room']);
  });

  it('tells that its reader left, once, and takes no more', async () => {
    const { queue, said } = spied(4);
    queue.push(bytes('a'));
    queue.push(bytes('b'));
    for await (const _ of queue) break;
    queue.leave();
    expect([queue.push(bytes('cdefgh')), queue.isOver(), await readAll(queue)]).toEqual([true, true, '']);
    expect(said).toEqual(['left']);
  });

  it('tells nobody that its reader left at the end', async () => {
    const { queue, said } = spied(4);
    queue.end();
    expect(await readAll(queue)).toBe('');
    queue.leave();
    expect(said).toEqual([]);
  });
});
