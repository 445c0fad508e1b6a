import { type Fault, gatewayFault, type JsonObject, parseObject, unfold } from '../../ir/index.ts';
import type { Tapped } from '../../protocols/protocol.ts';
import type { UpstreamHeaders, UpstreamSink } from '../../upstream/send.ts';
import { createSseReader } from '../../wire/sse.ts';
import type { AttemptEnd } from '../call.ts';
import { createClientStream, createFrameText, replyContext } from './client-stream.ts';
import { type AnswerMode, collectMode, createAnswer, headerOf, type LaneContext, laneHeaders, notAnAnswer } from './lane.ts';
import { createRawRelay } from './raw-relay.ts';

/** A whole answer up to this size goes out in one write with its head. */
const SMALL = 64 * 1024;
/** Of larger ones this much is looked through for usage after they have passed. */
const TAIL = 1024 * 1024;

const endOf = (tapped: Tapped, endedBy: AttemptEnd['endedBy'], fault?: Fault): AttemptEnd => ({
  endedBy,
  ...(fault ? { fault } : {}),
  ...(tapped.usage ? { usage: tapped.usage } : {}),
  ...(tapped.stop ? { stop: tapped.stop } : {}),
  ...(tapped.model === undefined ? {} : { upstreamModel: tapped.model }),
});

/** An error inside a success status, at the head of a body; `undefined` when it is none. */
function errorInside(context: LaneContext, body: Buffer): Fault | undefined {
  const head = body.toString('latin1', 0, 256);
  if (!head.includes('"error"') && !head.includes('"detail"')) return undefined;
  const parsed = parseObject(body.toString('utf8'));
  const error = parsed?.['error'];
  if (!parsed || error === undefined || error === null) return undefined;
  const said = context.target.codec.decodeFault(502, body.toString('utf8'));
  return { ...said, kind: said.kind === 'internal' ? 'upstream' : said.kind, status: said.status >= 400 ? said.status : 502 };
}

/** A whole reply: small ones in one write, larger ones as they come. */
function wholeMode(context: LaneContext, status: number, upstream: UpstreamHeaders): AnswerMode {
  const { sink, target, call } = context;
  const contentType = headerOf(upstream, 'content-type') || 'application/json';
  const announced = Number.parseInt(headerOf(upstream, 'content-length'), 10);
  const pieces: Buffer[] = [];
  let bytes = 0;
  let relaying = false;

  const begin = (): void => {
    relaying = true;
    const length = Number.isNaN(announced) ? undefined : announced;
    sink.begin(status, laneHeaders(context, upstream, contentType), length);
    for (const piece of pieces) sink.write(piece);
  };
  const keep = (chunk: Buffer): void => {
    pieces.push(chunk);
    if (!relaying) return;
    let first = pieces[0];
    while (first && bytes - first.length > TAIL) {
      bytes -= first.length;
      pieces.shift();
      first = pieces[0];
    }
  };
  return {
    body(chunk) {
      if (bytes === 0) context.onFirstToken();
      bytes += chunk.length;
      keep(chunk);
      if (relaying) return sink.write(chunk);
      if (bytes > SMALL) begin();
      return true;
    },
    end() {
      const body = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
      if (!relaying) {
        if (body.length === 0) return context.done({ fault: notAnAnswer(context, 'an empty body'), endedBy: 'upstream' });
        const fault = errorInside(context, body);
        if (fault) return context.done({ fault, endedBy: 'upstream' });
        const tapped = target.codec.tap.whole(body);
        call.prepared?.onReply?.(wireOf(body));
        sink.begin(status, laneHeaders(context, upstream, contentType), body.length);
        sink.end(body);
        return context.done(endOf(tapped, 'upstream'));
      }
      sink.end();
      if (call.prepared?.onReply && bytes < TAIL) call.prepared.onReply(wireOf(body));
      context.done(endOf(target.codec.tap.whole(body), 'upstream'));
    },
    fail(fault) {
      if (relaying) sink.abort();
      context.done({ fault, endedBy: 'upstream' });
    },
  };
}

const wireOf = (body: Buffer): { wire?: JsonObject } => {
  const wire = parseObject(body.toString('utf8'));
  return wire ? { wire } : {};
};

/** A stream of the client's own protocol: bytes pass, the finish event waits for the true end. */
function streamMode(context: LaneContext, upstream: UpstreamHeaders, dropUsageChunk: boolean): AnswerMode {
  const { sink, call, target } = context;
  const relay = createRawRelay(target.codec.tap, dropUsageChunk);
  const text = createFrameText(call.form);
  let early: Buffer | undefined;
  let over = false;

  const begin = (): void => {
    const contentType = call.form === 'sse' ? headerOf(upstream, 'content-type') : text.contentType;
    sink.begin(200, { ...laneHeaders(context, upstream, contentType), 'cache-control': 'no-cache' });
  };
  /** Whole events in the form that the client reads: as they are, or each event's JSON in the array or on its own. */
  const dress = (bytes: Buffer | undefined): Buffer | string | undefined => {
    if (bytes === undefined || call.form === 'sse') return bytes;
    let out = '';
    const reader = createSseReader();
    reader.push(bytes, (frame) => (out += text.frame(frame.data, frame.event)));
    reader.end((frame) => (out += text.frame(frame.data, frame.event)));
    return out;
  };
  const endWith = (bytes: Buffer | undefined): void => {
    const last = dress(bytes);
    if (text.close === '') sink.end(last);
    else sink.end((typeof last === 'string' ? last : '') + text.close);
  };
  const close = (tapped: Tapped, fault?: Fault): void => {
    over = true;
    context.done(endOf(tapped, 'upstream', fault));
  };
  const finish = (clean: boolean, cut?: Fault): void => {
    const { held, tapped, complete } = relay.end(clean);
    const own = tapped.fault;
    if (own && !sink.begun) return close(tapped, own);
    if (complete || own) {
      if (!sink.begun) begin();
      endWith(early && held ? Buffer.concat([early, held]) : (held ?? early));
      return close(tapped, own);
    }
    const fault = cut ?? endedEarly(relay.begun);
    if (sink.begun) {
      let last = '';
      call.client.faultFrame(fault, call.id, (data, event) => (last += text.frame(data, event)));
      sink.end(last + text.close);
    }
    close(tapped, fault);
  };

  return {
    body(bytes) {
      if (over) return true;
      let out = relay.push(bytes);
      if (!sink.begun) {
        if (relay.tapped.fault) {
          context.abortUpstream();
          close(relay.tapped, relay.tapped.fault);
          return true;
        }
        if (early) out = out ? Buffer.concat([early, out]) : early;
        if (!relay.begun) {
          early = out;
          return true;
        }
        early = undefined;
        context.onFirstToken();
        if (!relay.tapped.done) begin();
      }
      const flowing = out && sink.begun ? sink.write(dress(out) ?? '') : true;
      if (!sink.begun) early = out;
      if (relay.tapped.done) finish(true);
      return flowing;
    },
    end() {
      if (!over) finish(true);
    },
    fail(fault) {
      if (!over) finish(false, fault);
    },
  };
}

const endedEarly = (begun: boolean): Fault =>
  begun
    ? gatewayFault('upstream', 'The upstream ended its stream before the reply was complete', { code: 'stream_ended_early' })
    : gatewayFault('upstream', 'The upstream sent an empty stream', { code: 'upstream_empty' });

/** A whole reply to a client that asked for a stream (some servers ignore the wish): told as a stream. */
function unaskedWhole(context: LaneContext, upstream: UpstreamHeaders): AnswerMode {
  const { call, target } = context;
  return collectMode(context, (bytes) => {
    const fault = errorInside(context, bytes);
    const parsed = parseObject(bytes.toString('utf8'));
    if (fault || !parsed) {
      context.done({ fault: fault ?? notAnAnswer(context, 'something that is not JSON'), endedBy: 'upstream' });
      return;
    }
    const body = parseObject(call.body.toString('utf8')) ?? {};
    const request = call.client.decodeRequest({ ...body, model: call.model });
    const stream = createClientStream(context, call.client.streamEncoder(replyContext(context, request, body)), upstream);
    unfold(target.codec.decodeReply(parsed, { maker: target.provider.maker, newId: context.newId }), (event) => stream.event(event));
  });
}

/** The raw lane: the client's protocol on both sides, bytes untouched. */
export function createRawLane(context: LaneContext, dropUsageChunk: boolean): UpstreamSink {
  return createAnswer(context, (status, headers, contentType) => {
    if (context.call.stream) {
      if (contentType.startsWith('text/event-stream')) return streamMode(context, headers, dropUsageChunk);
      if (contentType.includes('json')) return unaskedWhole(context, headers);
    } else if (contentType.includes('json') || contentType === '') return wholeMode(context, status, headers);
    return collectMode(context, (body) =>
      context.done({
        fault: notAnAnswer(context, body.length === 0 ? 'an empty body' : `'${contentType.split(';')[0]}'`),
        endedBy: 'upstream',
      }),
    );
  });
}
