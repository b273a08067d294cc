import { isTree, lookUp, merge, type Tree } from './tree.js';

const BLOCK = 'downstream_defaults';

/**
 * Puts `downstream_defaults` under the block of every service.
 * @returns where a setting came from: its path in the files, for a message about it
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
