import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { ClientCodec } from '../../protocols/protocol.ts';
import { createLine } from './websocket-line.ts';

/** A socket whose system takes nothing until it is told to. */
function createSocket() {
  const sent: string[] = [];
  const waiting: (() => void)[] = [];
  const write = (text: string, done?: () => void): void => {
    sent.push(text);
    waiting.push(done ?? (() => undefined));
  };
  const socket = Object.assign(new EventEmitter(), {
    send: write,
    ping: (_data: unknown, _mask: unknown, done?: () => void) => write('ping', done),
    isPaused: false,
    pause: () => undefined,
    resume: () => undefined,
  });
  Object.defineProperty(socket, 'bufferedAmount', { get: () => waiting.length });
  const takes = (): void => waiting.shift()?.();
  return { socket: socket as unknown as WebSocket, sent, takes };
}

const client = {} as ClientCodec;

it('sends what waits when a ping that was before it has gone out', () => {
  const { socket, sent, takes } = createSocket();
  const line = createLine(socket, client);
  let drained = 0;
  line.onDrain(() => void drained++);
  line.ping();
  expect(line.send('one')).toBe(false);
  expect(sent).toEqual(['ping']);
  takes();
  expect(sent).toEqual(['ping', 'one']);
  takes();
  expect(drained).toBe(1);
  expect(line.send('two')).toBe(false);
  line.ping();
  takes();
  takes();
  expect(line.send('three')).toBe(false);
  expect(sent).toEqual(['ping', 'one', 'two', 'ping', 'three']);
});
