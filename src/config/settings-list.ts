import type { Loaded } from './load.ts';
import type { Source } from './read-shape.ts';
import { isSecretOrigin } from './secret-origin.ts';
import type { Shape } from './shape.ts';
import { fileShape } from './file-shape.ts';
import { memberPath } from './tree.ts';

/** One setting that stands alone, ready to be shown. */
export interface Setting {
  readonly path: string;
  /** As it would be written in the file; secrets are masked. */
  readonly value: string | number | boolean;
  readonly source: Source;
}

const DURATIONS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;
const SIZES = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['B', 1],
] as const;

/** A number in the largest unit that leaves it whole. */
function inUnits(value: number, units: readonly (readonly [string, number])[]): string {
  const [unit, factor] = units.find(([, one]) => value % one === 0) ?? ['', 1];
  return `${value / factor}${unit}`;
}

/** Enough to tell two secrets apart, of one that is long enough to stay one. */
const masked = (secret: string): string => (secret === '' ? '' : `****${secret.length >= 20 ? secret.slice(-4) : ''}`);

const NO_SOURCE: Source = { kind: 'default', from: [] };

function shownValue(shape: Shape, value: unknown, path: string, loaded: Loaded): Setting['value'] {
  const source = loaded.sources.get(path);
  const isSecret = loaded.secrets.has(path) || (source?.from.some((one) => !one.startsWith('--') && isSecretOrigin(one)) ?? false);
  if (isSecret) return masked(String(value));
  if (shape.kind === 'duration' && typeof value === 'number') return inUnits(value, DURATIONS);
  if (shape.kind === 'size' && typeof value === 'number') return inUnits(value, SIZES);
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

/** What a value of a shape looks like from afar. */
const formOf = ({ kind }: Shape): 'list' | 'map' | 'one' =>
  kind === 'list' ? 'list' : kind === 'map' || kind === 'object' ? 'map' : 'one';

function* walk(shape: Shape, value: unknown, path: string, loaded: Loaded): Iterable<Setting> {
  if (value === undefined) return;
  if (shape.kind === 'either') {
    const fitting = shape.of.find((one) => formOf(one) === (Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : 'one'));
    if (fitting) yield* walk(fitting, value, path, loaded);
  } else if (shape.kind === 'list') {
    const items = value as readonly unknown[];
    if (items.length === 0) yield { path, value: '[]', source: loaded.sources.get(path) ?? NO_SOURCE };
    for (const [index, item] of items.entries()) yield* walk(shape.of, item, `${path}[${index}]`, loaded);
  } else if (shape.kind === 'map' || shape.kind === 'object') {
    for (const [name, member] of Object.entries(value as Readonly<Record<string, unknown>>)) {
      const inner = shape.kind === 'map' ? shape.of : shape.fields[name];
      if (inner) yield* walk(inner, member, memberPath(path, name), loaded);
    }
  } else {
    yield { path, value: shownValue(shape, value, path, loaded), source: sourceOf(path, loaded) };
  }
}

/** Members of a list that stands there by default have no source of their own. */
const sourceOf = (path: string, loaded: Loaded): Source =>
  loaded.sources.get(path) ?? loaded.sources.get(path.replace(/\[\d+\]$/, '')) ?? NO_SOURCE;

/** Every setting that is in force, with where it comes from; without `defaults` only those that somebody chose. */
export function listSettings(loaded: Loaded, defaults: boolean): readonly Setting[] {
  const all = [...walk(fileShape, loaded.values, '', loaded)];
  return defaults ? all : all.filter(({ source }) => source.kind !== 'default');
}
