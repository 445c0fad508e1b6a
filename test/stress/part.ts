import type { PromiseId } from './promises.ts';

/** What was found of one promise: part of the table that goes into the documentation. */
export interface Measured {
  readonly promise: PromiseId;
  /** For which endpoint (`Family.name`) or pair (`pairName`), where it is measured for each. */
  readonly about?: string;
  /** In the promise's unit. Of several rows of one promise the table tells the worst. */
  readonly value: number;
  /** How many of what the promise counts were looked at. */
  readonly many: number;
  readonly isKept: boolean;
  /** For whoever runs it: what it was made of, and examples of what went wrong. */
  readonly detail?: string;
}

/** What was found of something that `promises.ts` does not name (yet), in words of its own. */
export interface Row {
  readonly promise: string;
  readonly limit: string;
  readonly measured: string;
  readonly isKept: boolean;
}

/** Sizes of a run that can be given on the command line. */
export interface Sizes {
  /** Events a pair of protocols. */
  readonly events: number;
  readonly seed: number;
  /** Requests of the memory part. */
  readonly requests: number;
  /** Streams side by side where a promise names a number of them. */
  readonly streams: number;
  /** Clients that leave, at each place of each endpoint. */
  readonly clients: number;
  /** Places at which each recorded stream is cut, at most. */
  readonly cuts: number;
  /** Malformed bodies a protocol. */
  readonly bodies: number;
}

/** A group of promises that are tried together. */
export interface Part {
  readonly name: string;
  rows(sizes: Sizes): AsyncIterable<Measured | Row>;
}

/** How a client's protocol over an upstream's is called in the table. */
export const pairName = (client: string, upstream: string): string => `${client} ← ${upstream}`;

/** The value that this share of all values is not above. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Milliseconds as they stand in a table. */
export const ms = (value: number): string => `${Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;

/** A number with its thousands set apart. */
export const count = (value: number): string => value.toLocaleString('en');

/** `one two three` is tried by several at a time. */
export async function inParallel<T>(jobs: Iterable<() => Promise<T>>, width: number): Promise<T[]> {
  const results: T[] = [];
  const rest = jobs[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); !next.done; next = rest.next()) results.push(await next.value());
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
