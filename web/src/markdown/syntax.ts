import type { Root } from 'mdast';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { mathFromMarkdown } from 'mdast-util-math';
import { gfm } from 'micromark-extension-gfm';
import { math } from 'micromark-extension-math';
// Declares the two lists of extensions.
import type {} from 'remark-parse';
import type { Plugin } from 'unified';

/**
 * Tables, task lists, footnotes and formulas: `remark-gfm` and `remark-math` without the half that writes Markdown, which
 * weighs a tenth of everything that shows a text.
 */
export const remarkSyntax: Plugin<[], Root> = function () {
  const data = this.data();
  (data.micromarkExtensions ??= []).push(gfm(), math());
  (data.fromMarkdownExtensions ??= []).push(gfmFromMarkdown(), mathFromMarkdown());
};
