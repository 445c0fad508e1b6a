import type { Place } from './problem.ts';

/** A parsed file with the place of everything in it, whatever its syntax was. */
export type Tree = ScalarTree | ListTree | MapTree;

/** A value that stands alone. */
export interface ScalarTree {
  readonly kind: 'scalar';
  readonly place: Place;
  readonly value: string | number | boolean | null;
}

/** A list. */
export interface ListTree {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly Tree[];
}

/** Names with values, in the order of the file. */
export interface MapTree {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: readonly MapEntry[];
}

/** A name with its value. */
export interface MapEntry {
  readonly key: string;
  readonly keyPlace: Place;
  readonly value: Tree;
}

/** Path of a member: `server.port`, `models["gpt-5.6"]`. */
export function memberPath(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
