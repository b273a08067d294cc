import { Parser } from 'htmlparser2';

export interface XmlHandler {
  start(name: string, attributes: Record<string, string>): void;
  text(text: string): void;
  end(name: string): void;
}

/**
 * Calls the handler for each element and text. It builds no tree, so that any depth is accepted. Entities of a DTD are
 * not expanded.
 */
export function readXml(xml: string, handler: XmlHandler): void {
  const parser = new Parser(
    {
      onopentag: (name, attributes) => handler.start(name, attributes),
      ontext: (text) => handler.text(text),
      onclosetag: (name) => handler.end(name),
    },
    { xmlMode: true },
  );
  parser.end(xml);
}

/** The text of each paragraph element, which is inside elements named `text` (or directly in the paragraph). */
export function paragraphsOf(xml: string, paragraph: string, text: string): string[] {
  const found: string[] = [];
  let open = '';
  let inText = false;
  readXml(xml, {
    start: (name) => (inText ||= name === text),
    text: (part) => (open += inText ? part : ''),
    end(name) {
      if (name === text) inText = false;
      if (name !== paragraph) return;
      if (open.trim() !== '') found.push(open.trim());
      open = '';
    },
  });
  return found;
}
