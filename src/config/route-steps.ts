import { meaningOf } from '../policy/routes/expand.ts';
import type { ModelSettings, ModelTable, RouteSettings } from '../policy/routes/route.ts';

type Models = Readonly<Record<string, ModelSettings>>;

/** Names with what of them can be used: a mistake in one is told once, not at all that lead there. */
export const usable = (models: Models): Models =>
  Object.fromEntries(
    Object.entries(models).map(([name, settings]) => {
      if (typeof settings === 'string') return [name, settings];
      const targets = (settings.targets as RouteSettings['targets'] | undefined) ?? [];
      return [name, { ...settings, targets: targets.filter(({ to }) => (to as string | undefined) !== undefined) }];
    }),
  );

/** A name that leads further, and where that is written. */
export interface Step {
  readonly to: string;
  readonly path: string;
}

/** The names that a route goes to in the end. `path`: where the route is written. */
export function fallbackSteps({ fallback }: RouteSettings, path: string): readonly Step[] {
  if (fallback === undefined) return [];
  const lists = Array.isArray(fallback) ? ([['', fallback]] as const) : Object.entries(fallback);
  return (lists as readonly (readonly [string, readonly string[]])[]).flatMap(([kind, names]) =>
    names.map((to, index) => ({ to, path: `${path}.fallback${kind === '' ? '' : `.${kind}`}[${index}]` })),
  );
}

/** The names that a name stands for. `path`: where it is written. */
export const targetSteps = (settings: ModelSettings, path: string): readonly Step[] =>
  typeof settings === 'string'
    ? [{ to: settings, path }]
    : settings.targets.map(({ to }, index) => ({ to, path: `${path}.targets[${index}].to` }));

const MAX_HOPS = 10;

/** Where a name ends that stands for another one: at a provider's model, a route's name, or nowhere further. `isEnd`: it goes no further. */
export function endOf(to: string, table: ModelTable, isEnd: (name: string) => boolean): string {
  let name = to;
  for (let hop = 0; hop < MAX_HOPS && !name.includes('*') && !isEnd(name); hop++) {
    const meaning = meaningOf(table, name);
    if (typeof meaning?.target !== 'string') return name;
    name = meaning.target;
  }
  return name;
}
