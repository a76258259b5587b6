import type { Failure } from '../failures.ts';
import { type Rule, rules } from './combinations.ts';
import { type ImageOptions, imageOptions, type KnownDefaults, type OptionName } from './image-options.ts';
import { invalidOption } from './invalid-option.ts';
import { optionsInForce } from './options-in-force.ts';

/** Options that do not go together. */
export interface Clash {
  readonly rule: Rule;
  readonly option: OptionName;
  /** The options in force: those given, and the defaults. */
  readonly inForce: ImageOptions;
}

/** The first rule that options break, if there is one. */
export function findClash(given: ImageOptions, defaults: KnownDefaults): Clash | undefined {
  const inForce = optionsInForce(given, defaults);
  for (const rule of rules) {
    const option = refusedBy(rule, given, inForce);
    if (option !== undefined) return { rule, option, inForce };
  }
  return undefined;
}

/** The option that a rule refuses; undefined where the rule does not apply. */
function refusedBy(rule: Rule, given: ImageOptions, inForce: ImageOptions): OptionName | undefined {
  const { refuses, values, beside, ignores = [], without, when } = rule;
  const counts = (name: OptionName) => given[name] !== undefined && !ignores.includes(given[name]);
  if (beside !== undefined && !beside.some(counts)) return undefined;
  if (without !== undefined && given[without] !== undefined) return undefined;
  if (when !== undefined && !when.in.includes(inForce[when.option])) return undefined;
  return refuses.find((name) =>
    values === undefined ? given[name] !== undefined : values.includes(inForce[name]),
  );
}

/** Whether an option, or one value of it, is excluded by the other options. */
export function isExcluded(
  option: OptionName,
  value: unknown,
  others: ImageOptions,
  defaults: KnownDefaults = {},
): boolean {
  const before: ImageOptions = { ...others, [option]: undefined };
  const after: ImageOptions = { ...before, [option]: value };
  return rules.some(
    (rule) =>
      rule.without === undefined &&
      refusedBy(rule, before, optionsInForce(before, defaults)) === undefined &&
      refusedBy(rule, after, optionsInForce(after, defaults)) !== undefined,
  );
}

/** The failure of options that do not go together, in the names of image-api's options. */
export function clashFailure({ rule, option, inForce }: Clash): Failure {
  const actual = String(inForce[option]);
  return invalidOption(option, actual, rule.allowed, rule.message?.(option, inForce));
}

/** The failure of options that do not go together, in the names of image.v1.ProcessRequest's fields. */
export function messageClashFailure({ rule, option: refused, inForce }: Clash): Failure {
  const { allowed = rule.allowed, option = refused, isWhole = false, actual } = rule.inMessage ?? {};
  const { field } = imageOptions[option];
  const name = isWhole ? field.replace(/\..*/, '') : field;
  return invalidOption(name, actual ?? String(inForce[option]), allowed);
}
