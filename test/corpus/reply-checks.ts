import {
  type ChatRequest,
  type Fault,
  type JsonObject,
  type Part,
  type ProtocolId,
  type ReplyEvent,
  kindOfStatus,
} from '../../src/ir/index.ts';
import { type ReplyEssence, replyEssence } from './essence.ts';
import { expectedReply, unplaced, withoutHosted } from './expressible.ts';
import { nextTurnProblems } from './next-turn.ts';
import { type Codec, collected, decodeFrames, encodeFrames, grammarProblem, replyContext, SOURCE } from './replay.ts';
import { failedStreamProblem, replyProblem, streamProblem } from './wire-grammar.ts';

/** One thing that is wrong, and where. */
export interface Problem {
  readonly check: string;
  readonly why: string;
}

const short = (value: unknown): string => JSON.stringify(value).slice(0, 200);

/** A reply that came in one dialect: what every check begins with. */
export interface Replayed {
  readonly upstream: ProtocolId;
  readonly events: readonly ReplyEvent[];
  readonly request: ChatRequest;
  /** The client's own body, for a client of the same dialect. */
  readonly body: JsonObject;
}

/** Differences between what should have come out and what did. */
function differences(wanted: ReplyEssence, found: ReplyEssence): string[] {
  const wrong: string[] = [];
  for (const key of Object.keys(wanted) as (keyof ReplyEssence)[]) {
    if (
      key === 'usage'
        ? Object.entries(wanted.usage).some(([kind, count]) => found.usage[kind] !== count)
        : short(wanted[key]) !== short(found[key]) || JSON.stringify(wanted[key]) !== JSON.stringify(found[key])
    )
      wrong.push(`${key}: ${short(wanted[key])} became ${short(found[key])}`);
  }
  return wrong;
}

/** How what a client of a dialect found in a reply differs from what it must find there. */
export function replyDifferences(
  client: ProtocolId,
  { upstream, said, streamed }: { readonly upstream: ProtocolId; readonly said: ReplyEssence; readonly streamed: boolean },
  found: ReplyEssence,
): string[] {
  const isSame = client === upstream;
  // What stands in the place of parts that a dialect lacks has seals of its own; they are looked at apart.
  const wanted = { ...expectedReply(client, upstream, said), seals: [] };
  const seen = {
    ...(isSame ? found : withoutHosted(found)),
    seals: [],
    ...(client === 'anthropic-messages' && !isSame ? { citations: found.citations.map(unplaced) } : {}),
    // A chat message has one place for its text, wherever calls stood.
    ...(client === 'openai-chat' && !isSame ? { order: [] } : {}),
  };
  // Gemini's stream tells sources at its end, where the part that they are about may be over: read back, they stand nowhere.
  const bare = (one: ReplyEssence): ReplyEssence =>
    client === 'gemini' && streamed ? { ...one, citations: one.citations.map(unplaced) } : one;
  return differences(bare(wanted), bare(seen));
}

/** The parts whose seals a client's own messages have a place for; the gateway keeps those of calls and of text. */
function keptBy(client: ProtocolId, parts: readonly Part[]): readonly Part[] {
  // A chat message has no place for what hosted tools did, nor for its seal.
  if (client === 'openai-chat') return parts.filter((part) => !part.kind.startsWith('hosted'));
  if (client !== 'anthropic-messages') return parts;
  // Nothing follows the text that a message ends in.
  const last = parts.findLastIndex((part) => part.kind !== 'text');
  if (!parts.some((part, index) => index > last && part.kind === 'text' && part.text !== '')) return parts;
  return parts.map((part, index) => {
    if (index <= last || part.kind !== 'text') return part;
    const { seal: _seal, ...bare } = part;
    return bare;
  });
}

/** A whole and a streamed reply, for a client of one dialect: legal, and the same as what came. */
export function* replyProblems(client: Codec, { upstream, events, request, body }: Replayed): Iterable<Problem> {
  const reply = collected(events, request.tools);
  const said = replyEssence(reply);
  const own = client.id === upstream ? body : {};
  const written = client.encodeReply(reply, replyContext(request, own));
  const whole = `whole → ${client.id}`;
  const wrong = replyProblem(client.id, written);
  if (wrong !== undefined) yield { check: whole, why: wrong };
  const read = replyEssence(client.decodeReply(written, SOURCE));
  for (const why of replyDifferences(client.id, { upstream, said, streamed: false }, read)) yield { check: whole, why };
  const kept = client.id === upstream ? reply.parts : keptBy(client.id, reply.parts);
  // Gemini runs the tools of MCP servers itself and tells of the results in the same reply: nobody sends those back.
  const isRun = reply.parts.some((part) => part.kind === 'native' && part.value['functionResponse'] !== undefined);
  if (reply.others === undefined && !isRun) yield* nextTurnProblems(client, upstream, written, kept);

  const stream = `stream → ${client.id}`;
  const frames = encodeFrames(client, events, replyContext(request, own));
  const illegal = streamProblem(client.id, frames);
  if (illegal !== undefined) yield { check: stream, why: illegal };
  const again = decodeFrames(client, frames);
  const order = grammarProblem(again);
  if (order !== undefined) yield { check: stream, why: `decoded again: ${order}` };
  for (const why of replyDifferences(client.id, { upstream, said, streamed: true }, replyEssence(collected(again))))
    yield { check: stream, why };
}

const CUT: Fault = { kind: 'upstream', status: 502, message: 'The upstream broke off', by: 'gateway', code: 'upstream_cut' };

/** A reply that fails after any of its events must never look complete to a client. `after`: which ones. */
export function* failureProblems(client: Codec, replayed: Replayed, after: readonly number[]): Iterable<Problem> {
  const { events, request, upstream, body } = replayed;
  for (const count of after) {
    const cut: readonly ReplyEvent[] = [...events.slice(0, count), { type: 'fault', fault: CUT }];
    const frames = encodeFrames(client, cut, replyContext(request, client.id === upstream ? body : {}));
    const why = failedStreamProblem(client.id, frames);
    if (why !== undefined) return yield { check: `cut after ${count} → ${client.id}`, why };
  }
}

/** A fault in the place of a reply, as a client of a dialect is told of it. */
export function* faultProblems(client: Codec, fault: Fault): Iterable<Problem> {
  const written = client.encodeFault(fault, 'req_test');
  const check = `error → ${client.id}`;
  if (written.status < 400 || written.status > 599) yield { check, why: `status ${written.status}` };
  if (!JSON.stringify(written.body).includes(JSON.stringify(fault.message).slice(1, -1))) yield { check, why: 'the message is lost' };
  const back = client.decodeFault(written.status, JSON.stringify(written.body));
  // Where words say more than the status (a used-up quota under 429), the status is what an SDK goes by.
  if (back.kind !== fault.kind && back.kind !== kindOfStatus(written.status)) yield { check, why: `${fault.kind} reads as ${back.kind}` };
  if (back.message !== fault.message) yield { check, why: `the message became ${back.message.slice(0, 100)}` };
}
