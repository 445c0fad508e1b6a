import type { Fault } from '../ir/index.ts';

/** What calls may take of any minute; absent: as much as comes. */
export interface MinuteLimits {
  /** Requests that are sent. */
  readonly rpm?: number;
  /** Tokens of questions and answers. */
  readonly tpm?: number;
}

/** The minutes of a key, or of a provider as a whole. */
export interface Minute extends MinuteLimits {
  /** Its name: of a provider, or one of its credentials. */
  readonly place: string;
  /** What it is called to whoever is refused. */
  readonly title: string;
}

/** Code of a refusal because a key's or a provider's minute has no room. */
export const MINUTE_FULL = 'local_rate_limit';

/** Whether nobody was asked, as a minute has no room. An upstream may use the same word for itself. */
export const isMinuteFull = (fault: Pick<Fault, 'by' | 'code'> | undefined): boolean =>
  fault?.by === 'gateway' && fault.code === MINUTE_FULL;
