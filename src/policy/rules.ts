import type { Provider } from '../presets/preset.ts';
import type { Draft, ReasonCode } from './candidate.ts';

/** Where calls may go, as a route or a key says it: whatever else, nothing may be sent elsewhere. */
export interface Rule {
  /** Regions, of which a provider must handle data in none but: `eu` stands for `eu-west-1` too. */
  readonly regions?: readonly string[];
  /** `deny`: only to providers that keep nothing. */
  readonly dataCollection?: 'allow' | 'deny';
}

/** The rule in settings that may hold one. */
export function ruleOf({ regions, dataCollection }: Rule): { readonly rule?: Rule } {
  if (!regions && dataCollection !== 'deny') return {};
  return { rule: { ...(regions ? { regions } : {}), ...(dataCollection === 'deny' ? { dataCollection } : {}) } };
}

const isIn = (place: string, region: string): boolean => place === region || place.startsWith(`${region}-`);

/** Where a provider handles data, as far as the operator has said. */
const placesOf = ({ settings: { regions, region } }: Provider): readonly string[] => regions ?? (region === undefined ? [] : [region]);

/** Why a rule forbids a provider; `undefined`: it does not. A provider of which nobody has said where it is may be anywhere. */
export function forbidden(provider: Provider, { regions, dataCollection }: Rule): 'region_excluded' | 'data_retention' | undefined {
  if (regions) {
    const places = placesOf(provider);
    if (places.length === 0 || !places.every((place) => regions.some((region) => isIn(place, region)))) return 'region_excluded';
  }
  return dataCollection === 'deny' && provider.settings.dataCollection !== 'deny' ? 'data_retention' : undefined;
}

const NO_RULES: readonly Rule[] = [];

/** Leaves out what the key's rule, or that of a route on the way, forbids: the last one, too. */
export function applyRules(
  drafts: readonly Draft[],
  providers: ReadonlyMap<string, Provider>,
  ofKey: Rule | undefined,
  reject: (draft: Draft, why: ReasonCode) => void,
): void {
  for (const draft of drafts) {
    const { rules = NO_RULES } = draft;
    if (rules !== NO_RULES) delete draft.rules;
    if (rules.length === 0 && !ofKey) continue;
    const provider = providers.get(draft.provider);
    if (draft.verdict !== 'eligible' || !provider) continue;
    const [why] = [...(ofKey ? [ofKey] : []), ...rules].flatMap((rule) => forbidden(provider, rule) ?? []);
    if (why) reject(draft, why);
  }
}
