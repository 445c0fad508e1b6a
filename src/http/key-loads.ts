/** What one key has under way. */
export interface KeyLoad {
  readonly inFlight: number;
  /** Calls that were refused, fading. */
  refused: number;
  /** Bytes of large bodies, counted by whoever holds them. */
  held: number;
  /** Counts a call; gives what is called once, when that ends. */
  enter(): () => void;
}

/** What each key has under way. */
export interface KeyLoads {
  of(key: string): KeyLoad;
  readonly active: number;
  /** Calls that were let in, and that have ended, since it was asked last. */
  passed(): { readonly came: number; readonly ended: number };
  /** What each key would have under way if it were let. */
  wanted(): readonly number[];
  /** Time passes: what was is forgotten, and who calls no more. */
  fade(now: number): void;
}

const HALVED_MS = 500;
/** Below this nobody calls any more. */
const FEW = 0.1;
/** Keys that are told apart; more share one account. */
const MAX_KEYS = 1000;
const OTHERS = '';

/** Nothing is under way. Bounded, however many keys there are. */
export function createKeyLoads(): KeyLoads {
  /** Calls that came, fading: who calls a little has mostly nothing under way. */
  const loads = new Map<string, { inFlight: number; came: number; refused: number; held: number; enter(): () => void }>();
  let active = 0;
  let [came, ended] = [0, 0];
  let halvedAt = 0;
  const make = () => {
    // Made once a key, not once a call.
    const leave = (): void => {
      load.inFlight--;
      active--;
      ended++;
    };
    const load = {
      inFlight: 0,
      came: 0,
      refused: 0,
      held: 0,
      enter() {
        load.came++;
        load.inFlight++;
        active++;
        came++;
        return leave;
      },
    };
    return load;
  };
  return {
    of(key) {
      const known = loads.get(key);
      if (known) return known;
      const place = loads.size >= MAX_KEYS ? OTHERS : key;
      const load = loads.get(place) ?? make();
      loads.set(place, load);
      return load;
    },
    get active() {
      return active;
    },
    passed() {
      const passed = { came, ended };
      [came, ended] = [0, 0];
      return passed;
    },
    wanted: () => [...loads.values()].map(({ inFlight, refused }) => inFlight + refused),
    fade(now) {
      if (now - halvedAt < HALVED_MS) return;
      halvedAt = now;
      for (const [key, load] of loads) {
        load.came /= 2;
        load.refused /= 2;
        if (load.inFlight === 0 && load.held === 0 && load.came < FEW && load.refused < FEW) loads.delete(key);
      }
    },
  };
}
