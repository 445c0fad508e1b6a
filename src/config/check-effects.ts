import { USUAL_RULE } from '../policy/breaker.ts';
import { USUAL_COOLDOWN } from '../policy/cooldown.ts';
import { USUAL_RETRY } from '../policy/retry.ts';
import type { KeySettings } from './config.ts';
import { meaningOf } from '../policy/routes/expand.ts';
import { compileModels, type ModelSettings } from '../policy/routes/route.ts';
import type { RouteTest } from '../policy/routes/route-tests.ts';
import { forbidden, ruleOf } from '../policy/rules.ts';
import type { ProviderSettings } from '../presets/preset.ts';
import { presets } from '../presets/index.ts';
import { matchGlob } from '../policy/glob.ts';
import { nearestNames } from '../policy/nearest.ts';
import type { Report } from './check-providers.ts';
import { providersOf } from './check-routes.ts';
import type { Words } from './language.ts';
import { memberPath } from './tree.ts';

type Models = Readonly<Record<string, ModelSettings>>;
type Providers = Readonly<Record<string, ProviderSettings>>;

/** What of a file is looked at. */
export interface Effects {
  readonly models: Models;
  readonly keys: readonly KeySettings[];
  readonly providers: Providers;
  /** Of one call at most. */
  readonly tries: number;
  readonly defaultModel?: string;
  readonly routeTests?: readonly RouteTest[];
  /** Providers may still be found: what nothing has now may be there then. */
  readonly discovers: boolean;
}

const noEffect = (what: Words): Parameters<Report>[1] => ({ severity: 'warning', code: 'no_effect', what });

/** A default is for names that nothing else takes: a pattern that takes every name leaves it none. */
function checkDefault({ models, defaultModel }: Effects, report: Report): void {
  const all = Object.keys(models).find((name) => /^\*+$/.test(name));
  if (defaultModel === undefined || all === undefined) return;
  const what: Words = [`It is never used: '${all}' of models takes every name`, `永远不会用到：models 中的“${all}”已匹配所有名称`];
  report('defaultModel', { severity: 'error', code: 'unreachable', what, right: [`either this or '${all}'`, `二者选一：此项或“${all}”`] });
}

/** A hedge that would come when its target has been given up already. */
function checkHedges(at: string, models: Models, report: Report): void {
  for (const [name, route] of Object.entries(models)) {
    if (typeof route === 'string' || route.hedge === undefined || route.timeout?.firstToken === undefined) continue;
    if (route.hedge < route.timeout.firstToken) continue;
    const what: Words = [
      "'hedge' never comes: 'timeout.firstToken' ends the wait before",
      '“hedge”永远不会发生：“timeout.firstToken”先结束等待',
    ];
    report(`${memberPath(at, name)}.hedge`, noEffect(what));
  }
}

/** A plain name that a key may use, and that leads nowhere: it was probably meant to be another. */
function checkAllowed(key: KeySettings, path: string, effects: Effects, report: Report): void {
  const { models, providers } = effects;
  if (key.models?.length === 0) {
    return report(path, noEffect(['This key may use no model', '该密钥不能使用任何模型']));
  }
  const tables = [compileModels(key.routes ?? {}), compileModels(models)];
  for (const [index, name] of (key.models ?? []).entries()) {
    const isNamed = name.includes('*') || name.includes('/') || tables.some((table) => meaningOf(table, name) !== undefined);
    const isKnown = Object.values(providers).some((one) => presets.get(one.preset)?.knows.some((glob) => matchGlob(glob, name)));
    if (isNamed || isKnown) continue;
    const near = nearestNames(name, Object.keys(models), 1)[0];
    const what: Words = [
      `'${name}' is no alias, and no configured provider is known to have it`,
      `“${name}”既不是别名，也没有已配置的服务商提供`,
    ];
    report(`${path}[${index}]`, { ...noEffect(what), ...(near === undefined ? {} : { didYouMean: near }) });
  }
}

/** Routes of a key under names that the key may not use. */
function checkOwnRoutes({ models, routes = {} }: KeySettings, path: string, report: Report): void {
  if (models === undefined) return;
  for (const name of Object.keys(routes)) {
    if (name.includes('*') || models.some((glob) => matchGlob(glob, name))) continue;
    const what: Words = [`This key may not use '${name}': its 'models' lack it`, `该密钥不能使用“${name}”：其“models”中没有它`];
    const right: Words = [`'${name}' among its 'models' as well`, `“models”中也写上“${name}”`];
    report(memberPath(path, name), { severity: 'error', code: 'unreachable', what, right }, true);
  }
}

/** A key whose rule forbids every provider. */
function checkPlaces(key: KeySettings, path: string, { providers, discovers }: Effects, report: Report): void {
  const { rule } = ruleOf(key);
  if (!rule || discovers) return;
  const providerOf = providersOf(providers);
  const made = Object.keys(providers).flatMap((name) => providerOf(name) ?? []);
  if (made.some((provider) => forbidden(provider, rule) === undefined)) return;
  const what: Words = [
    'No provider may serve this key: none fits its regions and dataCollection',
    '没有服务商可供该密钥使用：均不符合其 regions 和 dataCollection',
  ];
  report(`${path}.${key.regions ? 'regions' : 'dataCollection'}`, noEffect(what), true);
}

/** A test that says nothing of where its call must go passes whatever happens. */
function checkTests({ routeTests = [] }: Effects, isWrong: (path: string) => boolean, report: Report): void {
  const right: Words = ['at least one of: first, order, not, refused', '至少一项：first、order、not、refused'];
  for (const [index, { expect }] of routeTests.entries()) {
    const path = `routeTests[${index}]`;
    if (isWrong(path) || Object.keys(expect).length > 0) continue;
    const what: Words = ['This test expects nothing', '该测试没有任何预期'];
    report(`${path}.expect`, { severity: 'error', code: 'no_expectation', what, right }, true);
  }
}

const UNREMEMBERED = {
  breaker: ["'breaker' does nothing beside 'health: off', which remembers no failures", '“health: off”不记录失败，“breaker”不起作用'],
  setAside: ["'setAside' does nothing beside 'health: off', which sets nothing aside", '“health: off”不停用任何密钥，“setAside”不起作用'],
} as const satisfies Readonly<Record<string, Words>>;

/** Settings of waits that nothing is remembered for, or of which the longest is shorter than the first. */
function checkWaits(providers: Providers, report: Report): void {
  for (const [name, { health, breaker, setAside, retries }] of Object.entries(providers)) {
    const path = memberPath('providers', name);
    const waits = [
      ['breaker', breaker, USUAL_RULE.firstMs],
      ['setAside', setAside, USUAL_COOLDOWN.firstMs],
      ['retries', retries, USUAL_RETRY.firstMs],
    ] as const;
    for (const [setting, written, usual] of waits) {
      if (typeof written !== 'object') continue;
      if (health === 'off' && setting !== 'retries') {
        report(`${path}.${setting}`, noEffect(UNREMEMBERED[setting]), true);
      } else if (written.longest !== undefined && written.longest < (written.wait ?? usual)) {
        const what: Words = ["'longest' is shorter than 'wait': 'wait' is what counts", '“longest”短于“wait”：以“wait”为准'];
        report(`${path}.${setting}.longest`, noEffect(what));
      }
    }
  }
}

const targetsIn = (models: Models) => Object.values(models).flatMap((route) => (typeof route === 'string' ? [] : route.targets));

/** A line that nobody can stand in: as many calls are taken as come. */
function checkQueues({ providers, models, keys }: Effects, report: Report): void {
  const targets = [models, ...keys.map(({ routes = {} }) => routes)].flatMap(targetsIn);
  if (targets.some(({ concurrency }) => concurrency !== undefined)) return;
  for (const [name, { queue, concurrency, keys: shares = [] }] of Object.entries(providers)) {
    if (queue === undefined || concurrency !== undefined || shares.some((share) => share.concurrency !== undefined)) continue;
    const what: Words = [
      "'queue' does nothing where no 'concurrency' is set: nothing waits",
      '没有设定“concurrency”，请求无需排队，“queue”不起作用',
    ];
    report(`${memberPath('providers', name)}.queue`, noEffect(what), true);
  }
}

/** More repetitions at one place than a call has tries. */
function checkTimes({ providers, tries }: Effects, report: Report): void {
  for (const [name, { retries }] of Object.entries(providers)) {
    const times = typeof retries === 'object' ? retries.times : retries;
    if (times === undefined || times < tries) continue;
    const what: Words = [
      `A call is tried ${tries} times at most ('limits.retries.tries'): it is sent again ${tries - 1} times, not ${times}`,
      `单个请求最多尝试 ${tries} 次（“limits.retries.tries”），因此最多重发 ${tries - 1} 次，而非 ${times} 次`,
    ];
    const path = memberPath(memberPath('providers', name), 'retries');
    report(typeof retries === 'object' ? `${path}.times` : path, noEffect(what));
  }
}

/** Checks that what is written can have an effect: a default, hedges, what keys may use, tests. What cannot is told of, and mostly only warned of. */
export function checkEffects(effects: Effects, isWrong: (path: string) => boolean, report: Report): void {
  if (!isWrong('models')) {
    checkDefault(effects, report);
    checkHedges('models', effects.models, report);
  }
  if (!isWrong('providers')) {
    checkWaits(effects.providers, report);
    checkTimes(effects, report);
    if (!isWrong('models')) checkQueues(effects, report);
  }
  for (const [index, key] of effects.keys.entries()) {
    const path = `keys[${index}]`;
    if (isWrong(path)) continue;
    if (!effects.discovers) checkAllowed(key, `${path}.models`, effects, report);
    checkOwnRoutes(key, `${path}.routes`, report);
    checkHedges(`${path}.routes`, key.routes ?? {}, report);
    // A provider with a mistake may be the one.
    if (!isWrong('providers')) checkPlaces(key, path, effects, report);
  }
  checkTests(effects, isWrong, report);
}
