import { isTree, lookUp, merge, type Tree } from './tree.js';

const BLOCK = 'downstream_defaults';

/**
 * Merges `downstream_defaults` into the block of every service.
 * @returns a function that gives the path at which a setting stands in the files, for messages
 */
export function spreadDownstreamDefaults(tree: Tree): (path: readonly PropertyKey[]) => readonly PropertyKey[] {
  const { [BLOCK]: defaults, downstream } = tree;
  delete tree[BLOCK];
  if (!isTree(defaults) || !isTree(downstream)) return (path) => path;
  tree['downstream'] = Object.fromEntries(
    Object.entries(downstream).map(([name, block]) => [name, isTree(block) ? merge(defaults, block) : block]),
  );
  return (path) => {
    const inBlock = path.slice(2);
    const isShared =
      path[0] === 'downstream' &&
      lookUp(downstream, path.slice(1)) === undefined &&
      lookUp(defaults, inBlock) !== undefined;
    return isShared ? [BLOCK, ...inBlock] : path;
  };
}
