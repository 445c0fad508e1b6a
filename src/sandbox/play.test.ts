import { describe, expect, it } from 'vitest';
import { createFakeTimers } from './fake-timers.ts';
import { play, type Step } from './play.ts';

const bytes = (text: string): Step => ({ do: 'bytes', bytes: Buffer.from(text) });
const HEAD: Step = { do: 'head', status: 200, headers: {} };

function record(steps: readonly Step[], options: { readonly room?: (seen: number) => boolean } = {}) {
  const timers = createFakeTimers();
  const log: string[] = [];
  let bodies = 0;
  const call = play(
    steps,
    {
      head: (status) => void log.push(`head ${status}`),
      body(chunk) {
        log.push(chunk.toString());
        return options.room?.(++bodies) ?? true;
      },
      end: () => void log.push('end'),
      error: (kind) => void log.push(kind),
    },
    timers.setTimer,
  );
  return { timers, log, call };
}

describe('play', () => {
  it('does nothing before the caller has the call', () => {
    const { log, timers } = record([HEAD, bytes('a'), { do: 'end' }]);
    expect(log).toEqual([]);
    timers.advance(0);
    expect(log).toEqual(['head 200', 'a', 'end']);
  });

  it('keeps the time of the steps', () => {
    const { log, timers } = record([HEAD, { do: 'wait', ms: 100 }, bytes('a'), { do: 'wait', ms: 50 }, bytes('b'), { do: 'end' }]);
    timers.advance(99);
    expect(log).toEqual(['head 200']);
    timers.advance(1);
    expect(log).toEqual(['head 200', 'a']);
    timers.advance(50);
    expect(log).toEqual(['head 200', 'a', 'b', 'end']);
  });

  it('waits for a sink that is full, and goes on where it stopped', () => {
    const { log, timers, call } = record([HEAD, bytes('a'), bytes('b'), bytes('c'), { do: 'end' }], { room: (seen) => seen !== 2 });
    timers.advance(1000);
    expect(log).toEqual(['head 200', 'a', 'b']);
    call.resume();
    expect(log).toEqual(['head 200', 'a', 'b', 'c', 'end']);
    call.resume();
    expect(log).toHaveLength(5);
  });

  it('does not hurry a pause when the sink is resumed in it', () => {
    const { log, timers, call } = record([HEAD, bytes('a'), { do: 'wait', ms: 10 }, bytes('b'), { do: 'end' }]);
    timers.advance(5);
    call.resume();
    expect(log).toEqual(['head 200', 'a']);
    timers.advance(5);
    expect(log).toEqual(['head 200', 'a', 'b', 'end']);
  });

  it('says nothing more once aborted, and leaves no timer', () => {
    const { log, timers, call } = record([HEAD, bytes('a'), { do: 'wait', ms: 10 }, bytes('b'), { do: 'end' }]);
    timers.advance(0);
    call.abort();
    expect(timers.pending()).toBe(0);
    timers.advance(1000);
    call.resume();
    expect(log).toEqual(['head 200', 'a']);
  });

  it('stops at once when aborted from within the sink', () => {
    const timers = createFakeTimers();
    let seen = 0;
    const call = play(
      [HEAD, bytes('a'), bytes('b'), { do: 'end' }],
      {
        head: () => undefined,
        body() {
          seen++;
          call.abort();
          return true;
        },
        end: () => expect.unreachable(),
        error: () => expect.unreachable(),
      },
      timers.setTimer,
    );
    timers.advance(1000);
    expect(seen).toBe(1);
  });

  it('breaks the connection as it was asked to, and stays silent without an end', () => {
    const broken = record([HEAD, bytes('a'), { do: 'break', how: 'reset' }]);
    broken.timers.advance(0);
    expect(broken.log).toEqual(['head 200', 'a', 'reset']);
    const stalled = record([HEAD, bytes('a')]);
    stalled.timers.advance(1_000_000);
    expect(stalled.log).toEqual(['head 200', 'a']);
    expect(stalled.timers.pending()).toBe(0);
  });

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('goes on with what was still being made, and then with the rest', async () => {
    let made: (steps: readonly Step[]) => void = () => undefined;
    const steps = new Promise<readonly Step[]>((resolve) => (made = resolve));
    const { log, timers, call } = record([HEAD, { do: 'later', steps: () => steps }, bytes('c'), { do: 'end' }]);
    timers.advance(1000);
    call.resume();
    expect(log).toEqual(['head 200']);
    made([bytes('a'), { do: 'wait', ms: 10 }, bytes('b')]);
    await turn();
    expect(log).toEqual(['head 200', 'a']);
    timers.advance(10);
    expect(log).toEqual(['head 200', 'a', 'b', 'c', 'end']);
  });

  it('breaks when a step cannot be made, now or later, and says nothing once aborted', async () => {
    const failing = record([HEAD, { do: 'later', steps: () => Promise.reject(new Error('defect')) }, bytes('a')]);
    failing.timers.advance(0);
    await turn();
    expect(failing.log).toEqual(['head 200', 'reset']);
    const thrown = record(
      (function* (): Iterable<Step> {
        yield HEAD;
        throw new Error('defect');
      })() as unknown as readonly Step[],
    );
    thrown.timers.advance(0);
    expect(thrown.log).toEqual(['head 200', 'reset']);
    for (const steps of [() => Promise.reject(new Error('defect')), () => Promise.resolve([bytes('a'), { do: 'end' } as const])]) {
      const aborted = record([HEAD, { do: 'later', steps }]);
      aborted.timers.advance(0);
      aborted.call.abort();
      await turn();
      expect(aborted.log).toEqual(['head 200']);
    }
  });
});
