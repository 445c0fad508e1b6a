import type { ProtocolId } from '../ir/index.ts';
import { decide } from '../policy/decide.ts';
import { matchGlob } from '../policy/glob.ts';
import { PLAIN_FACTS, type ModelFacts } from '../policy/models/model-facts.ts';
import type { Snapshot } from '../policy/snapshot.ts';
import type { Provider } from '../presets/preset.ts';

/** A name that clients may use. */
export interface ModelRow {
  readonly name: string;
  /** Where a call for it is tried first; absent for a pattern. */
  readonly target?: string;
  /** What a pattern's names stand for, or the targets of its route. */
  readonly leadsTo?: readonly string[];
  readonly facts?: ModelFacts;
}

/** The models of a provider whose ids are known, from its own list or else from what ships. */
export type IdsOf = (provider: Provider) => readonly string[];

function rowOf(name: string, snapshot: Snapshot): ModelRow | undefined {
  const decision = decide(snapshot, { model: name, protocol: 'openai-chat', operation: 'generate', key: {} });
  // What only makes images or speaks is no chat: it is shown as well.
  const first = decision.candidates.find(({ verdict }) => verdict === 'chosen') ?? decision.candidates[0];
  const provider = first && snapshot.providers.get(first.provider);
  if (!first || !provider?.exposes(first.model)) return undefined;
  // What a wire of chat says does not hold for what is no chat.
  const isMedia = provider.media.some(({ wire, serves }) => wire.models !== undefined && serves(first.model));
  const protocol: ProtocolId | undefined = isMedia ? undefined : first.protocol;
  return { name, target: `${first.provider}/${first.model}`, facts: (snapshot.facts ?? PLAIN_FACTS).of(provider, protocol, first.model) };
}

/** The names that clients may use: aliases and patterns in file order, then `provider/model` for all that is known of each provider. */
export function modelRows(snapshot: Snapshot, idsOf: IdsOf, names = '*'): readonly ModelRow[] {
  const isMeant = (name: string): boolean => matchGlob(names, name) !== undefined;
  const aliases = [...snapshot.aliases.keys()].filter(isMeant).flatMap((name) => rowOf(name, snapshot) ?? []);
  const patterns = snapshot.patterns
    .filter(({ glob }) => isMeant(glob))
    .map(({ glob, target }) => ({ name: glob, leadsTo: typeof target === 'string' ? [target] : target.targets.map(({ to }) => to) }));
  const own = [...snapshot.providers.values()].flatMap((provider) => {
    // Ids are found by their bare names too, as clients may use them.
    const ids = idsOf(provider).filter((id) => provider.exposes(id) && (isMeant(`${provider.name}/${id}`) || isMeant(id)));
    return ids.toSorted().flatMap((id) => rowOf(`${provider.name}/${id}`, snapshot) ?? []);
  });
  return [...aliases, ...patterns, ...own];
}
