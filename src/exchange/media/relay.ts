import { createNotes, DEFAULT_FACTS } from '../../ir/index.ts';
import type { ProviderMedia, ProviderWire } from '../../presets/preset.ts';
import type { TopLevel } from '../../wire/top-level-scan.ts';
import { attempt } from '../attempt.ts';
import type { AttemptEnd, Call, Target } from '../call.ts';
import { writeRaw } from '../write-request.ts';
import type { MediaContext } from './media-exchange.ts';

/** A body of the client's whose bytes may pass. */
export interface Passing {
  readonly body: Buffer;
  readonly scan: TopLevel;
  /** Below the wire's base. */
  readonly path: string;
}

const wires = new WeakMap<ProviderMedia, ProviderWire>();

/** The wire of an ability as the raw lane knows wires. */
function wireOf(media: ProviderMedia, protocol: ProviderWire['protocol']): ProviderWire {
  const known = wires.get(media);
  if (known) return known;
  const { origin, basePath, headers, serves, sign, wire } = media;
  const made: ProviderWire = {
    protocol,
    wire: { base: wire.base, mark: wire.mark },
    origin,
    basePath,
    headers,
    serves,
    factsOf: () => DEFAULT_FACTS,
    ...(sign ? { sign } : {}),
  };
  wires.set(media, made);
  return made;
}

/** Passes a call's bytes to a provider of the client's own dialect, and the answer's back: neither is read but for the usage. */
export function relay(context: MediaContext, { body, scan, path }: Passing): Promise<AttemptEnd> {
  const { provider, media, model, sink, ports } = context;
  const protocol = context.call.client.id;
  const codec = ports.codecs.get(protocol);
  if (!codec) throw new Error(`no provider codec for ${protocol}`);
  const { routing, ...asked } = context.call;
  const knows = provider.preset.readsPreferences === true && routing !== undefined;
  const call: Call = {
    ...asked,
    ...(knows ? { routing } : {}),
    operation: 'embed',
    stream: false,
    form: 'sse',
    body,
    scan,
    relayPath: path,
  };
  const candidate = { provider: provider.name, model, verdict: 'chosen', reasons: [] } as const;
  const wire = wireOf(media, protocol);
  const target: Target = { candidate, provider, wire, codec, model, protocol, lane: 'raw', timeouts: provider.timeouts };
  const outgoing = writeRaw(call, target);
  const notes = createNotes();
  for (const { field, what, why } of [...context.notes.list, ...outgoing.notes.list]) notes.add(field, what, why);
  context.countTry();
  return attempt(call, target, sink, { ...outgoing, notes }, { number: context.attempt, apartMs: context.apartMs }, ports);
}
