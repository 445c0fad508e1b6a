import { describe, expect, it, vi } from 'vitest';
import { GatewayError, gatewayFault } from '../ir/index.ts';
import { createLink, type Handlers, type Link, Silence } from './link.ts';
import type { Message } from './messages.ts';

interface Words {
  readonly say: { readonly ask: string; readonly answer: string };
}

/** Two ends of a pipe; what goes through it is copied, as between processes. `isOpen` false: nothing arrives. */
function pipe(handlers: Handlers<Words>) {
  const state = { isOpen: true, sent: 0, now: 0 };
  const carry = (to: () => { receive(message: Message): void }) => (message: Message, onSent: (error: Error | null) => void) => {
    state.sent += 1;
    onSent(null);
    const copy = structuredClone(message);
    if (state.isOpen) queueMicrotask(() => to().receive(copy));
  };
  const monotonic = (): number => state.now;
  const asker: Link<Words> = createLink<Words, object>({ send: carry(() => answerer), handlers: {}, monotonic });
  const answerer: Link<object> = createLink<object, Words>({ send: carry(() => asker), handlers, monotonic });
  return { asker, state };
}

const silence = expect.objectContaining({ constructor: Silence });

describe('a question to another process', () => {
  it('is answered, also later and in another order', async () => {
    const waiting = new Map<string, (answer: string) => void>();
    const { asker } = pipe({ say: (word) => new Promise((resolve) => waiting.set(word, resolve)) });
    const both = [asker.ask('say', 'a', 1000), asker.ask('say', 'b', 1000)];
    await vi.waitFor(() => expect(waiting.size).toBe(2));
    waiting.get('b')?.('B');
    waiting.get('a')?.('A');
    expect(await Promise.all(both)).toEqual(['A', 'B']);
  });

  it('is thrown what is thrown there: a fault as a fault, of the system its code', async () => {
    const fault = gatewayFault('overloaded', 'Not now', { code: 'busy' });
    const errors: Readonly<Record<string, Error>> = {
      fault: new GatewayError(fault),
      system: Object.assign(new Error('taken'), { code: 'EADDRINUSE', syscall: 'listen' }),
    };
    const { asker } = pipe({
      say(word) {
        throw errors[word] ?? new Error(word);
      },
    });
    await expect(asker.ask('say', 'fault', 1000)).rejects.toMatchObject({ fault });
    await expect(asker.ask('say', 'system', 1000)).rejects.toMatchObject({ message: 'taken', code: 'EADDRINUSE', syscall: 'listen' });
  });

  it('waits no longer than it may; then none waits, and one is asked now and then, until something comes', async () => {
    const { asker, state } = pipe({ say: (word) => word });
    state.isOpen = false;
    await expect(asker.ask('say', 'a', 5)).rejects.toEqual(silence);
    const sent = state.sent;
    await expect(asker.ask('say', 'b', 60_000)).rejects.toEqual(silence);
    expect(state.sent).toBe(sent);
    state.isOpen = true;
    state.now += 600;
    expect(await asker.ask('say', 'c', 1000)).toBe('c');
    expect(await asker.ask('say', 'd', 1000)).toBe('d');
  });

  it('is not answered by one that is gone', async () => {
    const { asker, state } = pipe({ say: (word) => word });
    state.isOpen = false;
    const asked = asker.ask('say', 'a', Infinity);
    asker.close();
    await expect(asked).rejects.toEqual(silence);
    await expect(asker.ask('say', 'b', 1000)).rejects.toEqual(silence);
  });

  it('is one of ten thousand at most', async () => {
    const { asker, state } = pipe({ say: (word) => word });
    state.isOpen = false;
    const asked = Promise.allSettled(Array.from({ length: 10_001 }, () => asker.ask('say', 'a', Infinity)));
    expect(state.sent).toBe(10_000);
    asker.close();
    expect((await asked).every(({ status }) => status === 'rejected')).toBe(true);
  });
});
