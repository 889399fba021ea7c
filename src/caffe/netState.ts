import type { NetState, NetStateRule } from './messages';

/** `Net::StateMeetsRule`: every condition of the rule holds. */
function meetsRule(state: NetState, rule: NetStateRule): boolean {
  const { phase = 'TEST', level = 0, stage = [] } = state;
  return (
    (rule.phase === undefined || rule.phase === phase) &&
    level >= (rule.min_level ?? -Infinity) &&
    level <= (rule.max_level ?? Infinity) &&
    (rule.stage ?? []).every((one) => stage.includes(one)) &&
    !(rule.not_stage ?? []).some((one) => stage.includes(one))
  );
}

/** Whether a layer with these rules takes part in a net in this state, as `Net::FilterNet` decides. */
export function takesPart(
  state: NetState,
  { include, exclude }: { include: readonly NetStateRule[]; exclude: readonly NetStateRule[] },
): boolean {
  return include.length > 0
    ? include.some((rule) => meetsRule(state, rule))
    : !exclude.some((rule) => meetsRule(state, rule));
}
