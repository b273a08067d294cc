import type { Dialect } from './line-blocks.js';

const LATEX_LEVELS = ['part', 'chapter', 'section', 'subsection', 'subsubsection', 'paragraph'];
const LATEX_HEADING = new RegExp(
  `^\\s*\\\\(title|${LATEX_LEVELS.join('|')})\\*?(?:\\[[^\\]]*\\])?\\{((?:[^{}]|\\{[^{}]*\\})*)\\}`,
);
const LATEX_CODE = /^\s*\\begin\{(verbatim|Verbatim|lstlisting|minted|comment)\*?\}/;

/** `\section{…}` and the like; `\title{…}` is the title. */
export const LATEX: Dialect = {
  heading(line) {
    const match = LATEX_HEADING.exec(line);
    if (match === null) return undefined;
    const title = (match[2] as string)
      .replaceAll(/\\label\{[^}]*\}/g, '')
      .replaceAll(/\\[a-z]+\*?\s*|[{}]/gi, '')
      .replaceAll('~', ' ')
      .trim();
    return { level: LATEX_LEVELS.indexOf(match[1] as string) + 1, title };
  },
  fence(line) {
    const name = LATEX_CODE.exec(line)?.[1];
    return name === undefined ? undefined : `\\end{${name.toLowerCase()}`;
  },
};

/** `== Section`; `= Title` is the title of the document (AsciiDoc language, sections). */
export const ASCIIDOC: Dialect = {
  heading(line) {
    const match = /^(={1,6}|#{1,6})[ \t]+(\S.*)$/.exec(line);
    return match === null ? undefined : { level: (match[1] as string).length - 1, title: match[2] as string };
  },
  fence: (line) => /^(?:-{4,}|\.{4,}|\/{4,}|\+{4,}|```)/.exec(line)?.[0] ?? undefined,
};

/**
 * Titles with a line below them, or above and below. The order in which a document uses the characters sets their
 * levels.
 */
export const RESTRUCTURED_TEXT: Dialect = {
  underline: (line) => /^([-=`:.'"~^_*+#<>!$%&,;?@\\/|(){}[\]])\1{2,}$/.exec(line)?.[1],
};

/** `* Heading :tag:`, with or without a state such as TODO before it. */
export const ORG: Dialect = {
  heading(line) {
    const title = /^#\+title:[ \t]*(\S.*)$/i.exec(line)?.[1];
    if (title !== undefined) return { level: 0, title };
    const match = /^(\*+)[ \t]+(?:(?:TODO|DONE|NEXT|WAITING|CANCELLED)[ \t]+)?(\S.*)$/.exec(line);
    if (match === null) return undefined;
    return { level: (match[1] as string).length, title: (match[2] as string).replace(/[ \t]:[\w@#%:]+:$/, '').trim() };
  },
  fence(line) {
    const name = /^\s*#\+begin_(\w+)/i.exec(line)?.[1];
    return name === undefined || /^quote|verse|center$/i.test(name) ? undefined : `#+end_${name.toLowerCase()}`;
  },
};

/** The tables of TOML and the sections of INI: `[server.http]`. */
export const SECTIONS: Dialect = {
  body: 'code',
  heading(line) {
    const name = /^\[{1,2}([^[\]]+)\]{1,2}\s*(?:[#;].*)?$/.exec(line)?.[1];
    return name === undefined
      ? undefined
      : {
          level: 1,
          title: name
            .split('.')
            .map((part) => part.trim())
            .join(' › '),
        };
  },
};
