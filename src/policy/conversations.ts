import { hash32 } from './routes/hash.ts';

/** Where one call of a conversation goes. */
export interface Spot {
  /** What the conversation is told by. */
  readonly session: string;
  /** The name that was asked for: one conversation may ask for several models. */
  readonly asked: string;
  readonly provider: string;
  /** `provider/model`, where its route keeps conversations on their targets. */
  readonly target?: string;
  /** The credential's id, where the provider has several. */
  readonly credential?: string;
}

/** What a conversation has left. */
export type Move = 'target' | 'key';

/** Remembers where conversations were answered last, so that a move can be told. In memory, bounded. */
export interface Conversations {
  /** What is another than last time. Of one that is not known nothing is said. */
  moves(spot: Spot): readonly Move[];
  /** It was answered there. */
  stays(spot: Spot): void;
}

/** Conversations remembered at most, those longest silent go first. About 100 bytes each. */
const MAX_KNOWN = 10_000;

/** Enough of a hash to tell ten thousand conversations apart. */
const keyOf = (...words: readonly string[]): number => {
  const text = words.join('\u0000');
  return hash32(text, 1) * 2 ** 21 + (hash32(text, 2) >>> 11);
};

/** No conversation is known. */
export function createConversations(): Conversations {
  const known = new Map<number, string>();
  /** What is remembered of a spot: its key, and where that was. */
  const entriesOf = ({ session, asked, provider, target, credential }: Spot): readonly (readonly [Move, number, string])[] => [
    ...(target === undefined ? [] : [['target', keyOf('target', asked, session), target] as const]),
    // Another provider has other keys: there is no move among them.
    ...(credential === undefined ? [] : [['key', keyOf('key', provider, session), credential] as const]),
  ];
  return {
    moves: (spot) =>
      entriesOf(spot).flatMap(([move, key, at]) => {
        const before = known.get(key);
        return before === undefined || before === at ? [] : [move];
      }),
    stays(spot) {
      for (const [, key, at] of entriesOf(spot)) {
        known.delete(key);
        known.set(key, at);
        const [oldest] = known.size > MAX_KNOWN ? known.keys() : [];
        if (oldest !== undefined) known.delete(oldest);
      }
    },
  };
}
