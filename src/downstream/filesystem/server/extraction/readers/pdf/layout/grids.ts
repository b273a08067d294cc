import type { Rule } from './rules.ts';

/** The borders of the columns from the left, and of the rows from the top, of a ruled table. */
export interface Grid {
  columns: number[];
  rows: number[];
}

/** Rules that are closer than this meet, or are one rule. */
const NEAR = 3;
const MAX_BORDERS = 200;

/** The tables that rules form: rules that meet, in both directions, with two rows and two columns at least. */
export function gridsOf(rules: readonly Rule[]): Grid[] {
  return connected(rules).flatMap((group) => {
    const columns = distinct(group.filter(({ isAcross }) => !isAcross).map(({ at }) => at));
    const rows = distinct(group.filter(({ isAcross }) => isAcross).map(({ at }) => at)).reverse();
    const isTable = columns.length > 2 && rows.length > 2 && columns.length + rows.length <= MAX_BORDERS;
    return isTable ? [{ columns, rows }] : [];
  });
}

/** Groups of rules of which each meets another one. */
function connected(rules: readonly Rule[]): Rule[][] {
  const groups: Rule[][] = [];
  const left = new Set(rules);
  for (const first of left) {
    left.delete(first);
    const group = [first];
    for (const rule of group) {
      for (const other of left) {
        if (!meet(rule, other)) continue;
        left.delete(other);
        group.push(other);
      }
    }
    groups.push(group);
  }
  return groups;
}

function meet(one: Rule, other: Rule): boolean {
  if (one.isAcross === other.isAcross) {
    return Math.abs(one.at - other.at) <= NEAR && one.from <= other.to + NEAR && other.from <= one.to + NEAR;
  }
  return isWithin(one.at, other) && isWithin(other.at, one);
}

const isWithin = (at: number, { from, to }: Rule) => at >= from - NEAR && at <= to + NEAR;

/** In rising order; of neighbours that are {@link NEAR} the first. */
function distinct(places: readonly number[]): number[] {
  const found: number[] = [];
  for (const place of [...places].sort((one, other) => one - other)) {
    if (place - (found.at(-1) ?? -Infinity) > NEAR) found.push(place);
  }
  return found;
}
