import { all, type Poison, put } from '../poison.js';

const PAGES = [
  '<constructor>x</constructor>',
  '<__proto__>x</__proto__><p class="__proto__" constructor=x>z</p>',
  '<table><tr><td colspan="4294967296">x</td><td>y</td></tr></table>',
  '<table><tr><td rowspan="100000000">x</td></tr><tr><td>z</td></tr></table>',
  '<ol start="99999999999999999999" type="i"><li>x</li></ol>',
  '<table><tr><td>'.repeat(5000),
  '<blockquote>'.repeat(3000),
  '&#1114112;&#xD800;&#0; x &#99999999999;',
];

export const poison: Poison = {
  name: 'a user uploads HTML that makes parsers fail, eight at a time',
  against: 'faults that depend on the input opening the breaker of filesystem',
  send: (stage) => all(PAGES.map((page, i) => put(stage, `h${i}.html`, page, 'text/html'))),
};
