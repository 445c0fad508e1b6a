import { fillStars, matchGlob } from '../policy/glob.ts';
import { nearestNames } from '../policy/nearest.ts';
import { splitModels } from '../policy/snapshot.ts';
import type { ProviderSettings } from '../presets/preset.ts';
import { presets } from '../presets/index.ts';
import type { Report } from './check-providers.ts';
import type { Words } from './language.ts';
import type { Trouble } from './problem.ts';
import { memberPath } from './tree.ts';

/** What names may lead to. */
export interface Reachable {
  readonly providers: Readonly<Record<string, ProviderSettings>>;
  /** The built-in provider is there too. */
  readonly sandbox: boolean;
  /** Local servers may still be found: their names are not known to be wrong. */
  readonly discovers: boolean;
}

/** Stands for what a star may match: no name that people write holds it. */
const ANYTHING = '\u0001';

const error = (code: string, what: Words, right: Words, near?: string): Trouble => ({
  severity: 'error',
  code,
  what,
  right,
  ...(near === undefined ? {} : { didYouMean: near }),
});

const MAX_HOPS = 10;

const countStars = (glob: string): number => glob.split('*').length - 1;

type Split = ReturnType<typeof splitModels>;

/** One more step of an alias or pattern, as routing takes it. */
function nextName(name: string, { aliases, patterns }: Split): string | undefined {
  const alias = aliases.get(name);
  if (alias !== undefined) return alias;
  for (const { glob, target } of patterns) {
    const stars = matchGlob(glob, name);
    if (stars) return fillStars(target, stars);
  }
  return undefined;
}

/** The names that one leads through; `circle` when it has no end. A target that names a provider is where the way ends. */
function walk(name: string, split: Split, owners: readonly string[]): { readonly names: readonly string[]; readonly isCircle: boolean } {
  const names = [name];
  for (let next = nextName(name, split); next !== undefined; next = nextName(next, split)) {
    // A pattern may let names through as they are; an alias of itself has no end.
    const isSame = next === names.at(-1) && !split.aliases.has(next);
    const isCircle = !isSame && (names.includes(next) || names.length > MAX_HOPS);
    names.push(next);
    if (isSame || isCircle) return { names, isCircle };
    if (owners.includes(next.slice(0, Math.max(0, next.indexOf('/'))))) break;
  }
  return { names, isCircle: false };
}

/** Names of providers that a target may begin with. */
const ownersOf = (reachable: Reachable): readonly string[] => [
  ...Object.keys(reachable.providers),
  ...(reachable.sandbox ? ['sandbox'] : []),
];

const shown = (name: string): string => name.replaceAll(ANYTHING, '*');

/** What is wrong with a name that no alias takes further. */
function checkEnd(name: string, models: Readonly<Record<string, string>>, reachable: Reachable): Trouble | undefined {
  const providers = ownersOf(reachable);
  const slash = name.indexOf('/');
  const owner = slash > 0 ? name.slice(0, slash) : undefined;
  if (owner !== undefined && providers.includes(owner)) return checkExposed(owner, name.slice(slash + 1), reachable);
  const isKnown = Object.values(reachable.providers).some((one) => presets.get(one.preset)?.knows.some((glob) => matchGlob(glob, name)));
  if (isKnown) return undefined;
  if (owner !== undefined) return unknownOwner(owner, providers, reachable);
  const near = nearestNames(shown(name), Object.keys(models), 1)[0];
  return error(
    'unknown_model',
    [
      `'${shown(name)}' is no alias, and no configured provider is known to have it`,
      `“${shown(name)}”既不是别名，也没有已配置的服务商提供`,
    ],
    ['provider/model, or a name that is defined under models', ' provider/model，或 models 中定义的名称'],
    near,
  );
}

function unknownOwner(owner: string, providers: readonly string[], reachable: Reachable): Trouble {
  const what: Words = [`There is no provider '${owner}'`, `没有名为“${owner}”的服务商`];
  const right: Words = [`one of: ${providers.join(', ') || '(none)'}`, `以下之一：${providers.join('、') || '（无）'}`];
  if (reachable.discovers && presets.get(owner)?.local) {
    const late: Words = [`${what[0]} yet: it works when that server is found on this machine`, `${what[1]}：在本机找到该服务后即可使用`];
    return { severity: 'warning', code: 'provider_not_found_yet', what: late };
  }
  return error('unknown_provider', what, right, nearestNames(owner, providers, 1)[0]);
}

function checkExposed(owner: string, model: string, reachable: Reachable): Trouble | undefined {
  const expose = reachable.providers[owner]?.expose;
  if (!expose || model.includes(ANYTHING) || expose.some((glob) => matchGlob(glob, model))) return undefined;
  const what: Words = [`Provider '${owner}' does not expose '${model}'`, `服务商“${owner}”未开放“${model}”`];
  return error('not_exposed', what, [`a model that matches: ${expose.join(', ')}`, `与下列模式匹配的模型：${expose.join('、')}`]);
}

function checkStars(name: string, target: string): Trouble | undefined {
  if (countStars(target) <= countStars(name)) return undefined;
  const what: Words = [`'${target}' has more * than '${name}'`, `“${target}”中的 * 多于“${name}”`];
  return error('stars', what, ['no more * than the name has', '目标中的 * 不多于名称中的 *']);
}

/** The pattern before this one that takes all that it would match. */
function shadowOf(glob: string, before: readonly string[]): string | undefined {
  const sample = glob.replaceAll('*', ANYTHING);
  return before.find((one) => matchGlob(one, sample) !== undefined);
}

/** Checks that every alias and pattern leads somewhere, none in a circle, and that every pattern can be reached. */
export function checkModels(models: Readonly<Record<string, string>>, reachable: Reachable, report: Report): void {
  const split = splitModels(models);
  const before: string[] = [];
  for (const [name, target] of Object.entries(models)) {
    const path = memberPath('models', name);
    const isPattern = name.includes('*');
    const shadow = isPattern ? shadowOf(name, before) : undefined;
    if (shadow !== undefined) {
      const what: Words = [
        `'${name}' is never reached: '${shadow}' above it matches all of it`,
        `“${name}”永远不会生效：上方的“${shadow}”已匹配其全部内容`,
      ];
      report(path, error('shadowed', what, ['the narrower pattern first', '将更具体的模式放在前面']), true);
    }
    if (isPattern) before.push(name);
    const trouble = checkStars(name, target) ?? checkWay(name, models, split, reachable);
    if (trouble && shadow === undefined) report(path, trouble);
  }
}

function checkWay(name: string, models: Readonly<Record<string, string>>, split: Split, reachable: Reachable): Trouble | undefined {
  const { names, isCircle } = walk(name.replaceAll('*', ANYTHING), split, ownersOf(reachable));
  if (isCircle) {
    const circle = names.slice(0, 5).map(shown).join(' → ');
    const what: Words = [`This leads in a circle: ${circle}`, `形成循环：${circle}`];
    return error('alias_loop', what, ['a target that ends at a provider', '最终指向服务商的目标']);
  }
  // Told once, at the name whose own target it is.
  return names.length === 2 ? checkEnd(names[1] ?? '', models, reachable) : undefined;
}
