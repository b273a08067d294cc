import { type DecodedText, decodeAsFallback, decodeText } from '../charset.ts';
import { Fault } from './fault.ts';

/** `00:01:02,345 --> 00:01:04,000`, with hours or without them (WebVTT, SubRip). */
const TIMING = /^(?:(\d{1,3}):)?(\d{2}):(\d{2})[.,]\d{1,3}[ \t]+-->[ \t]+(?:\d{1,3}:)?\d{2}:\d{2}[.,]\d{1,3}/;
/** Cues of so many seconds make a paragraph, and so does a pause of this length. */
const PARAGRAPH_S = 30;
const PAUSE_S = 4;

interface Cue {
  startS: number;
  text: string;
}

/** What is said as running text, each paragraph with the time at which it begins. */
export function fromSubtitles(content: Uint8Array, charset: string | undefined): DecodedText {
  const { text, warnings } = decodeText(content, [charset]) ?? decodeAsFallback(content);
  const cues = cuesOf(text);
  if (cues.length === 0) throw new Fault('it holds no cues with times such as 00:01:02,345 --> 00:01:04,000');
  const paragraphs: { startS: number; lastS: number; texts: string[] }[] = [];
  for (const { startS, text: said } of cues) {
    const open = paragraphs.at(-1);
    const joins = open !== undefined && startS - open.startS < PARAGRAPH_S && startS - open.lastS < PAUSE_S;
    if (!joins) paragraphs.push({ startS, lastS: startS, texts: [said] });
    else {
      open.lastS = startS;
      // Rolling captions repeat the line of before.
      if (open.texts.at(-1) !== said) open.texts.push(said);
    }
  }
  return {
    text: paragraphs.map(({ startS, texts }) => `[${clock(startS)}] ${texts.join(' ')}`).join('\n\n'),
    warnings,
  };
}

function cuesOf(text: string): Cue[] {
  const cues: Cue[] = [];
  for (const block of text.replaceAll(/\r\n?/g, '\n').split(/\n{2,}/)) {
    const lines = block.split('\n');
    const at = lines.findIndex((line) => TIMING.test(line));
    const said = at === -1 ? '' : withoutMarkup(lines.slice(at + 1).join(' '));
    if (said === '') continue;
    const [, hours = '0', minutes, seconds] = TIMING.exec(lines[at] as string) as RegExpExecArray;
    cues.push({ startS: Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds), text: said });
  }
  return cues;
}

/** Without tags; the voice of WebVTT, `<v Ada>`, is the name of who speaks. */
function withoutMarkup(text: string): string {
  return text
    .replaceAll(/<v(?:\.[^\s>]*)?\s([^>]*)>/g, '$1: ')
    .replaceAll(/<\/?[a-z0-9][^>]*>|\{\\[^}]*\}/gi, '')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function clock(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
