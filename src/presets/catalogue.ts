import { readFileSync } from 'node:fs';
import { matchGlob } from '../policy/glob.ts';
import type { Certainty, Said } from '../policy/models/model-facts.ts';
import type { Amounts, Currency, Price } from '../policy/models/price.ts';
import { spellingsOf } from '../policy/models/spelling.ts';
import type { Provider } from './preset.ts';

/** What a model takes or makes. */
export const KINDS = ['text', 'image', 'file', 'audio', 'video', 'embedding', 'scores'] as const;

type Kind = (typeof KINDS)[number];

/** A model as `assets/model-catalogue` has it. What is not said is not known. */
export interface CatalogueRow {
  /** Its id, or a pattern over ids; dates and versions at its end need not be there. */
  readonly id: string;
  readonly context?: number;
  readonly output?: number;
  /** All that it takes, and all that it makes (left out: text). */
  readonly in?: readonly Kind[];
  readonly out?: readonly Kind[];
  readonly tools?: boolean;
  readonly structured?: boolean;
  readonly reasoning?: boolean;
  readonly price?: Omit<Price, 'currency'>;
  /** As of when, where not with the rest of its list. */
  readonly asOf?: string;
  /** How well its price is known, where not like the rest of its list. */
  readonly known?: Certainty;
}

/** A price list of a vendor. */
export interface PriceList {
  /** The preset's regions that it holds for; empty text: where none is configured. Left out: all. */
  readonly regions?: readonly string[];
  readonly currency: Currency;
  /** The vendor's page, where the list can be checked. */
  readonly source: string;
  /** The last day that it is known to have held on. */
  readonly asOf: string;
  /** How well the prices are known: not all were read on that page. */
  readonly known: Certainty;
  readonly models: readonly CatalogueRow[];
}

/** What is known of a preset's models. */
export interface CatalogueFile {
  readonly preset: string;
  /** Another preset that serves the same models: what is not here is looked up there. */
  readonly like?: string;
  readonly lists: readonly PriceList[];
}

/** The folder of the files, one for each preset. */
export const CATALOGUE = new URL('../../assets/model-catalogue/', import.meta.url);

/** Rows of one list, ready to be found. */
interface Found {
  readonly list: PriceList;
  readonly exact: ReadonlyMap<string, CatalogueRow>;
  readonly patterns: readonly CatalogueRow[];
}

interface Shelf {
  readonly like?: string;
  readonly lists: readonly Found[];
}

const EMPTY: Shelf = { lists: [] };

function openShelf(preset: string): Shelf {
  let text: string;
  try {
    text = readFileSync(new URL(`${preset}.json`, CATALOGUE), 'utf8');
  } catch {
    // Of most presets nothing is known.
    return EMPTY;
  }
  const { like, lists } = JSON.parse(text) as CatalogueFile;
  return {
    ...(like === undefined ? {} : { like }),
    lists: lists.map((list) => ({
      list,
      exact: new Map(list.models.map((row) => [row.id.toLowerCase(), row])),
      patterns: list.models.filter(({ id }) => id.includes('*')),
    })),
  };
}

function rowIn({ exact, patterns }: Found, spellings: readonly string[]): CatalogueRow | undefined {
  for (const id of spellings) {
    const row = exact.get(id);
    if (row) return row;
  }
  return patterns.find(({ id }) => matchGlob(id, spellings[0] ?? ''));
}

const INPUTS = { vision: 'image', audio: 'audio', video: 'video' } as const;

/** What a row says, in the router's words. Its price only where the list holds for the place that is asked. */
function saidBy(row: CatalogueRow, list: PriceList, isPriced: boolean): Said {
  const { id: _, in: takes, out: makes, price, asOf, known = list.known, ...rest } = row;
  const abilities = takes && Object.fromEntries(Object.entries(INPUTS).map(([need, kind]) => [need, takes.includes(kind)]));
  // Clouds read documents for models that do not: only that one reads them is said.
  const files = takes?.includes('file') === true ? { files: true } : {};
  const outputs = (makes ?? takes) && { imageOutput: makes?.includes('image') ?? false, audioOutput: makes?.includes('audio') ?? false };
  const amounts: Amounts | undefined = isPriced ? price : undefined;
  return {
    ...rest,
    ...abilities,
    ...files,
    ...outputs,
    ...(amounts ? { price: { ...amounts, currency: list.currency }, known } : {}),
    where: `${list.source}, ${asOf ?? list.asOf}`,
  };
}

const holdsFor = ({ regions }: PriceList, region: string): boolean => regions?.includes(region) ?? true;

/** The catalogue, ready to be asked. */
export interface Catalogue {
  /** What it says of a provider's model. */
  said(provider: Provider, model: string): Said | undefined;
  /** The models that it knows of a provider, by their ids. */
  ids(provider: Provider): readonly string[];
}

/** Reads the catalogue that ships, preset by preset, each with the first question about it: most servers know a few providers. */
export function createCatalogue(): Catalogue {
  const shelves = new Map<string, Shelf>();
  const shelfOf = (preset: string): Shelf => {
    const shelf = shelves.get(preset) ?? openShelf(preset);
    shelves.set(preset, shelf);
    return shelf;
  };
  const find = (preset: string, region: string, spellings: readonly string[]): Said | undefined => {
    const { lists, like } = shelfOf(preset);
    // The list of the place first; what another place's list says of the model itself holds all the same.
    const ordered = [...lists].sort((a, b) => Number(holdsFor(b.list, region)) - Number(holdsFor(a.list, region)));
    for (const found of ordered) {
      const row = rowIn(found, spellings);
      if (row) return saidBy(row, found.list, holdsFor(found.list, region));
    }
    return like === undefined ? undefined : find(like, region, spellings);
  };
  return {
    said: ({ preset, settings }, model) => find(preset.id, settings.region ?? '', spellingsOf(model)),
    ids({ preset, settings: { region = '' } }) {
      const { lists } = shelfOf(preset.id);
      return lists.flatMap(({ list }) => (holdsFor(list, region) ? list.models.map(({ id }) => id).filter((id) => !id.includes('*')) : []));
    },
  };
}
