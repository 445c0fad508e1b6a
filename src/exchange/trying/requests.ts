import { type Fault, GatewayError, gatewayFault } from '../../ir/index.ts';
import { type Minute, MINUTE_FULL } from '../../policy/minute.ts';
import type { Full, Held, Minutes, Taking } from './minutes.ts';

/** The requests of a try at a place that takes only so much in a minute. The first has its place there before the try begins. */
export interface Requests {
  /** Takes places for so many that will go out, before the first of them does. Throws the refusal (429) where there are none. */
  reserve(many: number): Promise<void>;
  /** So many go out (default 1): in the place that is there, and in more of them. Throws the refusal (429) where there are none. */
  next(many?: number): Promise<void>;
  /** Something goes out in the place that is there. */
  sent(): void;
  /** Whether anything has gone out. */
  isSent(): boolean;
}

/** As the one who let the try in has them. */
export interface Admission extends Requests {
  /** The try is over, with so many tokens; `undefined`: nobody has said how many. Where nothing was sent its place is free again. */
  end(tokens: number | undefined): void;
}

/** There is no room, and what is said of that. */
export interface Refusal {
  readonly refusal: Fault;
}

const NOTHING: Taking = { requests: 0, tokens: 0 };

function refusalOf({ title, rpm, tpm }: Minute, { by, freeInMs }: Full): Fault {
  const limit = by === 'rpm' ? `${rpm} requests a minute ('rpm')` : `${tpm} tokens a minute ('tpm')`;
  if (freeInMs === Infinity)
    return gatewayFault('rate_limit', `${title} may have ${limit}: this call takes more than that, now and later. Ask for less at once`, {
      code: MINUTE_FULL,
    });
  const message = `${title} has had its ${limit}: there is room in ${Math.ceil(freeInMs / 1000)} s`;
  return gatewayFault('rate_limit', message, { code: MINUTE_FULL, retryAfterMs: freeInMs });
}

/** Takes a place in each; in none where one of them is full. */
async function takeIn(minutes: readonly Minute[], taking: Taking, keeper: Minutes): Promise<{ readonly held: readonly Held[] } | Refusal> {
  const held: Held[] = [];
  let isIn = false;
  try {
    for (const minute of minutes) {
      const one = await keeper.take(minute, taking);
      if ('freeInMs' in one) return { refusal: refusalOf(minute, one) };
      held.push(one);
    }
    isIn = true;
    return { held };
  } finally {
    if (!isIn) for (const one of held) one.settle(NOTHING);
  }
}

/** Lets a try in that is expected to take so many tokens, or says why not. */
export async function admit(
  minutes: readonly Minute[],
  tokens: number,
  keeper: Minutes,
): Promise<{ readonly admission: Admission } | Refusal> {
  const first = await takeIn(minutes, { requests: 1, tokens }, keeper);
  if ('refusal' in first) return first;
  let [has, used] = [1, 0];
  let isSent = false;
  const extra: { readonly held: readonly Held[]; readonly many: number }[] = [];
  /** What was reserved and has not gone out. */
  const giveBack = (): void => {
    let unused = has - Math.max(1, used);
    for (const { held, many } of extra) {
      const back = Math.min(unused, many);
      unused -= back;
      if (back > 0) for (const one of held) one.settle({ requests: many - back, tokens: 0 });
    }
  };
  const reserve = async (many: number): Promise<void> => {
    const tooSmall = minutes.find(({ rpm = Infinity }) => rpm < used + many);
    if (tooSmall) throw new GatewayError(refusalOf(tooSmall, { by: 'rpm', freeInMs: Infinity }));
    const more = used + many - has;
    if (more <= 0) return;
    has += more;
    const others = await takeIn(minutes, { requests: more, tokens: 0 }, keeper);
    if ('held' in others) return void extra.push({ held: others.held, many: more });
    has -= more;
    throw new GatewayError(others.refusal);
  };
  const admission: Admission = {
    reserve,
    async next(many = 1) {
      const room = reserve(many);
      used += many;
      await room;
      isSent = true;
    },
    sent: () => void (isSent = true),
    isSent: () => isSent,
    end(said = tokens) {
      giveBack();
      for (const one of first.held) one.settle(isSent ? { requests: 1, tokens: said } : NOTHING);
    },
  };
  return { admission };
}
