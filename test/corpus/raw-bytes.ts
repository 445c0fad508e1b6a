import { createRawRelay } from '../../src/exchange/lanes/raw-relay.ts';
import type { Recording } from './recordings.ts';
import { type Codec, collected, decodeFrames, framesOf } from './replay.ts';
import type { Problem } from './reply-checks.ts';

/** Sizes of the pieces in which bytes arrive: small ones, and such as cut characters and lines anywhere. */
const SIZES = [1, 7, 61, 1 << 20];

function relayed(bytes: Buffer, size: number, codec: Codec) {
  const relay = createRawRelay(codec.tap, false);
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const passed = relay.push(bytes.subarray(at, at + size));
    if (passed) out.push(passed);
  }
  const live = Buffer.concat(out);
  const { held, tapped, complete } = relay.end(true);
  return { live, whole: held ? Buffer.concat([live, held]) : live, tapped, complete };
}

/** A stream between equals passes byte by byte, and the tap finds in it what the codec reads. */
export function* relayProblem({ response, source }: Recording, codec: Codec): Iterable<Problem> {
  const check = 'raw';
  if (!response.sse || source.fidelity?.response?.startsWith('bytes') !== true) return;
  const bytes = Buffer.from(response.sse.join(''));
  const events = decodeFrames(codec, framesOf(bytes));
  const { usage, stop } = collected(events);
  const faulty = events.at(-1)?.type === 'fault';
  for (const size of SIZES) {
    const { live, whole, tapped, complete } = relayed(bytes, size, codec);
    // Of a stream that failed, the error event is the lane's to tell.
    const passed = faulty ? bytes.subarray(0, live.length).equals(live) : whole.equals(bytes);
    if (!passed) return yield { check, why: `bytes differ in pieces of ${size}` };
    if (complete === faulty) return yield { check, why: `in pieces of ${size} it is ${complete ? '' : 'not '}complete` };
    if (faulty) continue;
    if (tapped.finished && live.length === bytes.length) return yield { check, why: 'the finish was not held' };
    // Chat says "stop" also of calls; the tap does not look for them.
    if (tapped.finished && tapped.stop?.raw !== stop.raw)
      return yield { check, why: `stop ${stop.reason}, tapped ${String(tapped.stop?.reason)}` };
    for (const kind of ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const)
      if ((tapped.usage?.[kind] ?? 0) !== (usage?.[kind] ?? 0))
        return yield { check, why: `${kind} ${usage?.[kind]}, tapped ${tapped.usage?.[kind]}` };
  }
}
