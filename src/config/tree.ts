/** Settings as they are read, before they are checked. */
export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A new tree: `base` with the settings of `over` on top. */
export function merge(base: Tree, over: Tree): Tree {
  const merged: Tree = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value;
  }
  return merged;
}

/** Sets one value; false: the path runs through something that is not a mapping. */
export function assign(tree: Tree, path: readonly string[], value: unknown): boolean {
  let node = tree;
  for (const key of path.slice(0, -1)) {
    const child = (node[key] ??= {});
    if (!isTree(child)) return false;
    node = child;
  }
  node[path.at(-1) as string] = value;
  return true;
}

export function lookUp(tree: Tree, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, key) => (typeof node === 'object' && node !== null ? (node as Tree)[String(key)] : undefined),
    tree,
  );
}
