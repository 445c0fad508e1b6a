import type { TextFacts } from './text-facts.ts';

/** Byte-pair tables that the package brings. Models of other makers are weighed against the nearest one. */
export type Encoding = 'o200k' | 'cl100k';

/** What the worker is asked: facts of the texts of each channel. */
export interface TextJob<Channel extends string = string> {
  readonly encoding: Encoding;
  readonly texts: Readonly<Record<Channel, readonly string[]>>;
}

/** What it answers: the sums by channel. */
export type TextAnswer<Channel extends string = string> = Readonly<Record<Channel, TextFacts>>;
