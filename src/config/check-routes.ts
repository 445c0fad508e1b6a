import { createFacts } from '../policy/models/model-facts.ts';
import type { ModelSettings, RouteSettings } from '../policy/routes/route.ts';
import { forbidden, ruleOf } from '../policy/rules.ts';
import { createCatalogue } from '../presets/catalogue.ts';
import type { Provider, ProviderSettings } from '../presets/preset.ts';
import { compileProvider } from '../presets/provider.ts';
import type { Report } from './check-providers.ts';
import type { Words } from './language.ts';
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

/** A target that a route's own rule always leaves out. */
function checkPlace(provider: Provider, settings: RouteSettings, path: string, report: Report): void {
  const { rule } = ruleOf(settings);
  const why = rule && forbidden(provider, rule);
  if (!why) return;
  const what: Words =
    why === 'region_excluded'
      ? [
          `This target is never tried: '${provider.name}' is not in the route’s regions`,
          `该目标永远不会被尝试：“${provider.name}”不在路由限定的地域`,
        ]
      : [`This target is never tried: '${provider.name}' may keep what it is sent`, `该目标永远不会被尝试：“${provider.name}”可能保留数据`];
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
  for (const [at, models] of tables) {
    for (const [name, route] of Object.entries(models)) {
      if (typeof route === 'string' || (route.strategy !== 'lowest-cost' && !ruleOf(route).rule)) continue;
      if (isWrong(memberPath(at, name))) continue;
      for (const [index, { to }] of route.targets.entries()) {
        const path = `${memberPath(at, name)}.targets[${index}].to`;
        const slash = to.indexOf('/');
        const provider = slash > 0 ? providerOf(to.slice(0, slash)) : undefined;
        if (!provider) continue;
        checkPlace(provider, route, path, report);
        if (route.strategy === 'lowest-cost') checkPriced(to.slice(slash + 1), provider, path, isPriced, report);
      }
    }
  }
}
