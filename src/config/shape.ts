import type { Words } from './language.ts';

/** What a setting may be. The one description that files are checked by, that types come from and that JSON Schema is made of. */
export type Shape =
  | TextShape
  | WordShape
  | NumberShape
  | FlagShape
  | DurationShape
  | SizeShape
  | ListShape
  | MapShape
  | ObjectShape
  | EitherShape;

interface Described {
  /** What it is, for people. */
  readonly doc: Words;
  readonly examples?: readonly unknown[];
  /** What stands where the file says nothing, as it would be written in the file. */
  readonly default?: unknown;
}

/** Any text. */
export interface TextShape extends Described {
  readonly kind: 'text';
  /** Never shown, never quoted in messages, and better not written into the file. */
  readonly secret?: boolean;
  /** What all of it must match, for editors; `check` says the same. */
  readonly pattern?: string;
  /** What else it must be; returns what would be right when it is not. Only of text that holds no `${…}` any more. */
  readonly check?: (text: string) => Words | undefined;
}

/** One of some words. */
export interface WordShape extends Described {
  readonly kind: 'word';
  readonly words: readonly string[];
}

/** A whole number. */
export interface NumberShape extends Described {
  readonly kind: 'number';
  readonly min: number;
  readonly max: number;
}

/** Yes or no. */
export interface FlagShape extends Described {
  readonly kind: 'flag';
}

/** `2s`, `10m`: milliseconds once read. */
export interface DurationShape extends Described {
  readonly kind: 'duration';
  readonly minMs: number;
  readonly maxMs: number;
}

/** `32MiB`: bytes once read. */
export interface SizeShape extends Described {
  readonly kind: 'size';
  readonly min: number;
  readonly max: number;
}

/** Any number of the same. */
export interface ListShape extends Described {
  readonly kind: 'list';
  readonly of: Shape;
}

/** Names of the operator's choice. */
export interface MapShape extends Described {
  readonly kind: 'map';
  readonly of: Shape;
  /** Names that are meant, where only some are. */
  readonly keys?: readonly string[];
  /** A member is secret when its name says so (`authorization`). */
  readonly secretNames?: RegExp;
}

/** Names of our choice: another is an error. */
export interface ObjectShape extends Described {
  readonly kind: 'object';
  readonly fields: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  /** There also when the file leaves it out, with the defaults of its fields. */
  readonly filled?: true;
}

/** One of several, told apart by what is written. */
export interface EitherShape extends Described {
  readonly kind: 'either';
  readonly of: readonly Shape[];
}

type AlwaysThere = { readonly default: unknown } | { readonly filled: true };

type ObjectValue<F, R> = {
  readonly [K in keyof F as K extends R ? K : F[K] extends AlwaysThere ? K : never]: ValueOf<F[K]>;
} & {
  readonly [K in keyof F as K extends R ? never : F[K] extends AlwaysThere ? never : K]?: ValueOf<F[K]>;
};

/** What is read by a shape: units made into numbers, defaults filled in. */
export type ValueOf<S> = S extends { kind: 'text' }
  ? string
  : S extends { kind: 'word'; words: readonly (infer W)[] }
    ? W
    : S extends { kind: 'number' | 'duration' | 'size' }
      ? number
      : S extends { kind: 'flag' }
        ? boolean
        : S extends { kind: 'list'; of: infer I }
          ? readonly ValueOf<I>[]
          : S extends { kind: 'map'; of: infer I }
            ? Readonly<Record<string, ValueOf<I>>>
            : S extends { kind: 'either'; of: readonly (infer I)[] }
              ? ValueOf<I>
              : S extends { kind: 'object'; fields: infer F; required?: infer R }
                ? ObjectValue<F, R extends readonly (infer K)[] ? K : never>
                : never;
