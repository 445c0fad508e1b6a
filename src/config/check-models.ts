import { fillStars, matchGlob } from '../policy/glob.ts';
import { nearestNames } from '../policy/nearest.ts';
import { meaningOf } from '../policy/routes/expand.ts';
import { compileModels, type ModelSettings, type ModelTable, type RouteSettings } from '../policy/routes/route.ts';
import type { ProviderSettings } from '../presets/preset.ts';
import { presets } from '../presets/index.ts';
import type { RouteTest } from '../policy/routes/route-tests.ts';
import type { Report } from './check-providers.ts';
import type { KeySettings } from './config.ts';
import type { Words } from './language.ts';
import type { Trouble } from './problem.ts';
import { endOf, fallbackSteps, type Step, targetSteps, usable } from './route-steps.ts';
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

type Models = Readonly<Record<string, ModelSettings>>;

/** What there is to lead to. */
interface World {
  readonly models: Models;
  readonly table: ModelTable;
  readonly reachable: Reachable;
  /** Names of which all ways are known to end: routes over routes would be walked again and again. */
  readonly ended: Set<string>;
  /** A mistake in this has been told. */
  readonly isWrong: (path: string) => boolean;
}

/** One more step of a name, as routing takes it: several of a route. */
function nextNames(name: string, { table }: World): readonly string[] {
  const meaning = meaningOf(table, name);
  if (!meaning) return [];
  const { target, stars } = meaning;
  return typeof target === 'string' ? [target] : target.targets.map(({ to }) => fillStars(to, stars));
}

/** A target that names a provider is where the way ends. */
const isOwned = (name: string, { reachable }: World): boolean =>
  ownersOf(reachable).includes(name.slice(0, Math.max(0, name.indexOf('/'))));

/** Names that lead in a circle, beginning with these; `undefined` when all ways end. */
function circleOf(names: readonly string[], world: World): readonly string[] | undefined {
  const last = names.at(-1) ?? '';
  if (names.length > 1 && (names.indexOf(last) < names.length - 1 || names.length > MAX_HOPS + 1)) return names;
  if (world.ended.has(last) || (names.length > 1 && isOwned(last, world))) return undefined;
  for (const next of nextNames(last, world)) {
    const circle = circleOf([...names, next], world);
    if (circle) return circle;
  }
  world.ended.add(last);
  return undefined;
}

/** Names of providers that a target may begin with. */
const ownersOf = (reachable: Reachable): readonly string[] => [
  ...Object.keys(reachable.providers),
  ...(reachable.sandbox ? ['sandbox'] : []),
];

const shown = (name: string): string => name.replaceAll(ANYTHING, '*');

/** What is wrong with a name that no alias takes further. */
function checkEnd(name: string, { models, reachable }: World): Trouble | undefined {
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

/** A target twice in a route, a fallback that has been tried as a target, or twice in one list, by whatever name: none is ever reached. */
function checkTwice(targets: readonly Step[], fallbacks: readonly Step[], world: World, report: Report): void {
  /** Each by where it ends. */
  const seen = new Map<string, string>();
  const leads = (to: string, end: string): Words =>
    to === end ? [`'${to}'`, `“${to}”`] : [`'${to}' leads to '${end}', which`, `“${to}”指向“${end}”，后者`];
  for (const { to, path } of targets) {
    const end = endOf(to, world.table, (name) => isOwned(name, world));
    const by = leads(to, end);
    const what: Words = [`${by[0]} is a target of this route already`, `${by[1]}已是该路由的目标`];
    if (seen.has(end)) report(path, error('unreachable', what, ['each target once', '每个目标只写一次']));
    seen.set(end, to);
  }
  const listed = new Set<string>();
  for (const { to, path } of fallbacks) {
    const end = endOf(to, world.table, (name) => isOwned(name, world));
    const by = leads(to, end);
    const entry = `${path.slice(0, path.lastIndexOf('['))} ${end}`;
    const again: Words = [`${by[0]} is in this list already`, `${by[1]}已在该列表中`];
    if (listed.has(entry)) report(path, error('unreachable', again, ['each name once', '每个名称只写一次']));
    listed.add(entry);
    const what: Words = [`${by[0]} is a target of this route: it has been tried by then`, `${by[1]}是该路由的目标：届时已尝试过`];
    if (seen.has(end)) report(path, error('unreachable', what, ['a name that is not among the targets', '不在目标之列的名称']));
  }
}

/** A second try needs somewhere to go: another target, a fallback for any failure, or another key. */
function checkHedge({ hedge, targets, fallback }: RouteSettings, path: string, { models, reachable }: World, report: Report): void {
  const [only] = targets;
  if (hedge === undefined || !only || targets.length > 1 || Object.hasOwn(models, only.to)) return;
  const anyway = Array.isArray(fallback) ? fallback : (fallback as { readonly any?: readonly string[] } | undefined)?.any;
  const provider = reachable.providers[only.to.slice(0, Math.max(0, only.to.indexOf('/')))];
  if ((anyway?.length ?? 0) > 0 || !provider || (provider.keys?.length ?? 0) > 1) return;
  const what: Words = [
    "'hedge' has nowhere to go: there is no other target, no fallback, and no other key",
    '“hedge”没有可去之处：没有其他目标、备用名称或其他密钥',
  ];
  report(`${path}.hedge`, { severity: 'warning', code: 'no_effect', what });
}

function checkRoute(settings: RouteSettings, path: string, world: World, report: Report): void {
  if (settings.targets.length === 0) {
    const what: Words = ['This route has no targets', '该路由没有目标'];
    report(`${path}.targets`, error('no_targets', what, ['at least one: [{ to: provider/model }]', '至少一个：[{ to: provider/model }]']));
  }
  checkTwice(targetSteps(settings, path), fallbackSteps(settings, path), world, report);
  checkHedge(settings, path, world, report);
}

/** Checks one table of names. `inCircles`: its names are looked up again on the way, so that they may lead back. */
function checkTable(models: Models, at: string, world: World, inCircles: boolean, report: Report): void {
  const before: string[] = [];
  for (const [name, settings] of Object.entries(models)) {
    const path = memberPath(at, name);
    if (world.isWrong(path)) continue;
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
    if (typeof settings !== 'string') checkRoute(settings, path, world, report);
    if (shadow !== undefined) continue;
    const fallbacks = typeof settings === 'string' ? [] : fallbackSteps(settings, path);
    for (const step of targetSteps(settings, path)) checkStep(name, step, inCircles, world, report);
    // A fallback may lead back, as each target is tried once; but not a name to itself.
    for (const step of fallbacks) checkStep(name, step, inCircles && step.to === name, world, report);
  }
}

function checkStep(name: string, { to, path }: Step, inCircles: boolean, world: World, report: Report): void {
  const trouble = checkStars(name, to) ?? checkWay(name, to, inCircles, world);
  if (trouble) report(path, trouble);
}

function checkWay(name: string, to: string, inCircles: boolean, world: World): Trouble | undefined {
  const from = name.replaceAll('*', ANYTHING);
  const target = fillStars(
    to,
    Array.from({ length: countStars(name) }, () => ANYTHING),
  );
  // A pattern may let names through as they are; an alias of itself has no end.
  const passes = target === from && !world.table.aliases.has(from);
  const names = circleOf(inCircles && !passes ? [from, target] : [target], world);
  if (names && !passes) {
    const circle = names.slice(0, 5).map(shown).join(' → ');
    const what: Words = [`This leads in a circle: ${circle}`, `形成循环：${circle}`];
    return error('alias_loop', what, ['a target that ends at a provider', '最终指向服务商的目标']);
  }
  // Told once, at the name whose own target it is.
  const goesOn = !passes && !isOwned(target, world) && meaningOf(world.table, target) !== undefined;
  return goesOn ? undefined : checkEnd(target, world);
}

/** What else names models: keys with routes of their own, a default, tests. */
export interface Naming {
  readonly keys: readonly Pick<KeySettings, 'name' | 'routes'>[];
  readonly defaultModel?: string;
  readonly routeTests?: readonly RouteTest[];
}

/** Checks that every name leads somewhere, none in a circle, and that every pattern and target can be reached. */
export function checkModels(
  written: Models,
  naming: Naming,
  reachable: Reachable,
  isWrong: (path: string) => boolean,
  report: Report,
): void {
  const models = usable(written);
  const world: World = { models, table: compileModels(models), reachable, ended: new Set(), isWrong };
  checkTable(models, 'models', world, true, report);
  for (const [index, { routes = {} }] of naming.keys.entries()) checkTable(usable(routes), `keys[${index}].routes`, world, false, report);
  const { defaultModel, routeTests = [] } = naming;
  if (defaultModel !== undefined) checkStep('', { to: defaultModel, path: 'defaultModel' }, false, world, report);
  for (const [index, test] of routeTests.entries()) {
    const path = `routeTests[${index}]`;
    if (!isWrong(path)) checkTest(test, path, naming, reachable, report);
  }
}

/** Names in a route test that nothing has. */
function checkTest({ when, expect }: RouteTest, path: string, naming: Naming, reachable: Reachable, report: Report): void {
  const { key, down = [], limited = [], platform } = when;
  const keys = naming.keys.map(({ name }) => name);
  if (key !== undefined && !keys.includes(key)) {
    const what: Words = [`There is no key '${key}'`, `没有名为“${key}”的密钥`];
    const right: Words = [`one of: ${keys.join(', ') || '(none)'}`, `以下之一：${keys.join('、') || '（无）'}`];
    report(`${path}.when.key`, error('unknown_key_name', what, right, nearestNames(key, keys, 1)[0]));
  }
  const owners = ownersOf(reachable);
  const named: readonly (readonly [string, string])[] = [
    ...(platform === undefined ? [] : [[platform, `${path}.when.platform`] as const]),
    ...down.map((name, index) => [name, `${path}.when.down[${index}]`] as const),
    ...limited.map((name, index) => [name, `${path}.when.limited[${index}]`] as const),
    ...(expect.first === undefined ? [] : [[expect.first, `${path}.expect.first`] as const]),
    ...(expect.order ?? []).map((name, index) => [name, `${path}.expect.order[${index}]`] as const),
    ...(expect.not ?? []).map((name, index) => [name, `${path}.expect.not[${index}]`] as const),
  ];
  for (const [name, at] of named) {
    const owner = name.split('/', 1)[0] ?? '';
    if (!owners.includes(owner)) report(at, unknownOwner(owner, owners, reachable));
  }
  // A body may name them by their kind as well, in any case.
  const all = [...owners, ...Object.values(reachable.providers).map(({ preset }) => preset)];
  const kinds = new Set(all.map((name) => name.toLowerCase()));
  for (const field of ['order', 'only', 'ignore'] as const) {
    for (const [index, name] of (when[field] ?? []).entries()) {
      const owner = name.split('/', 1)[0] ?? '';
      if (!kinds.has(owner.toLowerCase())) report(`${path}.when.${field}[${index}]`, unknownOwner(owner, owners, reachable));
    }
  }
}
