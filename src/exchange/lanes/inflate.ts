import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { type Fault, gatewayFault } from '../../ir/index.ts';
import type { AnswerMode, LaneContext } from './lane.ts';

const DECODERS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress()],
]);

const damaged = (what: string): Fault => gatewayFault('upstream', `The upstream answered in ${what}`, { code: 'upstream_malformed' });

/**
 * An answer that came compressed, although none was asked for (a proxy in between, a careless server): unpacked before any
 * lane sees it, with backpressure both ways. https://www.rfc-editor.org/rfc/rfc9110#section-8.4
 */
export function inflated(mode: AnswerMode, encoding: string, context: LaneContext): AnswerMode {
  const create = DECODERS.get(encoding);
  if (!create) {
    const fault = damaged('an encoding that is not known here');
    return { body: () => true, end: () => mode.fail(fault), fail: () => mode.fail(fault) };
  }
  const unpack = create();
  let cut: Fault | undefined;
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      unpack.destroy();
      context.onDefect(error);
    }
  };
  unpack.on('data', (bytes: Buffer) => {
    guarded(() => {
      if (!mode.body(bytes)) unpack.pause();
    });
  });
  unpack.on('end', () => guarded(() => (cut ? mode.fail(cut) : mode.end())));
  unpack.on('error', () => {
    guarded(() => mode.fail(cut ?? damaged('a compressed form that is damaged')));
    context.abortUpstream();
  });
  const { resumeUpstream } = context;
  unpack.on('drain', () => resumeUpstream());
  // Who paused the answer paused what unpacks it.
  context.resumeUpstream = () => {
    unpack.resume();
    resumeUpstream();
  };
  context.sink.onDrain(() => unpack.resume());
  return {
    body: (bytes) => unpack.write(bytes),
    end: () => void unpack.end(),
    // What came before the cut is still told.
    fail(fault) {
      cut = fault;
      unpack.end();
    },
    soFar: () => mode.soFar?.() ?? {},
  };
}
