import { createFacts } from '../policy/models/model-facts.ts';
import { compileModels, type ModelSettings, type RouteSettings } from '../policy/routes/route.ts';
import { forbidden, ruleOf } from '../policy/rules.ts';
import { createCatalogue } from '../presets/catalogue.ts';
import type { Provider, ProviderSettings } from '../presets/preset.ts';
import { compileProvider } from '../presets/provider.ts';
import type { Report } from './check-providers.ts';
import type { Words } from './language.ts';
import { endOf, fallbackSteps, targetSteps, usable } from './route-steps.ts';
import { memberPath } from './tree.ts';

type Models = Readonly<Record<string, ModelSettings>>;
type Providers = Readonly<Record<string, ProviderSettings>>;

/** Providers by name, made of their settings when one is asked for; `undefined` where none can be made, which has been told. */
export function providersOf(settings: Providers): (name: string) => Provider | undefined {
  const made = new Map<string, Provider | undefined>();
  return (name) => {
    if (made.has(name) || !Object.hasOwn(settings, name)) return made.get(name);
    try {
      made.set(
        name,
        compileProvider(name, settings[name] as ProviderSettings, () => ({})),
      );
    } catch {
      made.set(name, undefined);
    }
    return made.get(name);
  };
}

/** A target or a fallback that a route's own rule always leaves out. */
function checkPlace(provider: Provider, settings: RouteSettings, path: string, kind: Words, report: Report): void {
  const { rule } = ruleOf(settings);
  const why = rule && forbidden(provider, rule);
  if (!why) return;
  const what: Words =
    why === 'region_excluded'
      ? [
          `This ${kind[0]} is never tried: '${provider.name}' is not in the route’s regions`,
          `该${kind[1]}永远不会被尝试：“${provider.name}”不在路由限定的地域`,
        ]
      : [
          `This ${kind[0]} is never tried: '${provider.name}' may keep what it is sent`,
          `该${kind[1]}永远不会被尝试：“${provider.name}”可能保留数据`,
        ];
  const right: Words =
    why === 'region_excluded'
      ? [`a provider with regions: [${(rule.regions ?? []).join(', ')}]`, `设置了 regions: [${(rule.regions ?? []).join(', ')}] 的服务商`]
      : ['a provider with dataCollection: deny', '设置了 dataCollection: deny 的服务商'];
  report(path, { severity: 'error', code: 'unreachable', what, right });
}

function checkPriced(
  model: string,
  provider: Provider,
  path: string,
  isPriced: (provider: Provider, model: string) => boolean,
  report: Report,
): void {
  if (model.includes('*') || isPriced(provider, model)) return;
  const what: Words = [`No price of '${model}' is known: this route tries it last`, `“${model}”的价格未知：该路由会最后尝试它`];
  const right: Words = [`providers.${provider.name}.models['${model}'].price`, `设置 providers.${provider.name}.models['${model}'].price`];
  report(path, { severity: 'warning', code: 'price_unknown', what, right });
}

/** Checks targets by what is known of them: that no route names one that it may never use, or goes by a price that nobody knows. */
export function checkRoutes(
  tables: readonly (readonly [at: string, models: Models])[],
  settings: Providers,
  isWrong: (path: string) => boolean,
  report: Report,
): void {
  const providerOf = providersOf(settings);
  // The catalogue is read only where a route goes by price.
  const facts = createFacts({ catalogue: createCatalogue().said });
  const isPriced = (provider: Provider, model: string): boolean => {
    const protocol = [...provider.wires.keys()][0];
    return facts.of(provider, protocol, model).price !== undefined;
  };
  const table = compileModels(usable(tables[0]?.[1] ?? {}));
  /** The provider's model that a name ends at, by whatever other names. */
  const modelOf = (to: string): readonly [provider: Provider, model: string] | undefined => {
    const end = endOf(to, table, (name) => Object.hasOwn(settings, name.slice(0, Math.max(0, name.indexOf('/')))));
    const slash = end.indexOf('/');
    const provider = slash > 0 ? providerOf(end.slice(0, slash)) : undefined;
    return provider && [provider, end.slice(slash + 1)];
  };
  for (const [at, models] of tables) {
    for (const [name, route] of Object.entries(models)) {
      const path = memberPath(at, name);
      if (typeof route === 'string' || (route.strategy !== 'lowest-cost' && !ruleOf(route).rule) || isWrong(path)) continue;
      for (const step of targetSteps(route, path)) {
        const [provider, model] = modelOf(step.to) ?? [];
        if (!provider || model === undefined) continue;
        checkPlace(provider, route, step.path, ['target', '目标'], report);
        if (route.strategy === 'lowest-cost') checkPriced(model, provider, step.path, isPriced, report);
      }
      for (const step of fallbackSteps(route, path)) {
        const [provider] = modelOf(step.to) ?? [];
        if (provider) checkPlace(provider, route, step.path, ['fallback', '备用'], report);
      }
    }
  }
}
