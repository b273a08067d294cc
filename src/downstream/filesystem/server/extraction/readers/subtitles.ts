import { type DecodedText, decodeAsFallback, decodeText } from '../charset.ts';
import { counted } from '../extracted.ts';
import { Fault } from './fault.ts';

/** `00:01:02,345 --> 00:01:04,000`, with or without hours (WebVTT, SubRip). */
const TIMING = /^(?:(\d{1,3}):)?(\d{2}):(\d{2})[.,]\d{1,3}[ \t]+-->[ \t]+(?:\d{1,3}:)?\d{2}:\d{2}[.,]\d{1,3}/;
/** A paragraph ends after this many seconds of cues, or at a pause of this length. */
const PARAGRAPH_S = 30;
const PAUSE_S = 4;

interface Cue {
  startS: number;
  text: string;
}

/** The spoken text as paragraphs, each with its start time. */
export function fromSubtitles(content: Uint8Array, charset: string | undefined): DecodedText {
  const { text, warnings } = decodeText(content, [charset]) ?? decodeAsFallback(content);
  const { cues, notes, unreadable } = cuesOf(text);
  if (cues.length === 0) throw new Fault('it holds no cues with times such as 00:01:02,345 --> 00:01:04,000');
  const paragraphs: { startS: number; lastS: number; texts: string[] }[] = [];
  for (const { startS, text: cueText } of cues) {
    const open = paragraphs.at(-1);
    const joins = open !== undefined && startS - open.startS < PARAGRAPH_S && startS - open.lastS < PAUSE_S;
    if (!joins) paragraphs.push({ startS, lastS: startS, texts: [cueText] });
    else {
      open.lastS = startS;
      // Rolling captions repeat the previous line.
      if (open.texts.at(-1) !== cueText) open.texts.push(cueText);
    }
  }
  return {
    text: paragraphs.map(({ startS, texts }) => `[${clock(startS)}] ${texts.join(' ')}`).join('\n\n'),
    warnings: [
      ...warnings,
      ...counted(notes, 'comments_left_out', 'remarks beside the spoken text are left out'),
      ...counted(unreadable, 'cues_unreadable', 'damaged cues are left out'),
    ],
  };
}

/** The beginning of the file, and blocks that say how cues look. */
const LAYOUT = /^(?:\ufeff?WEBVTT|STYLE|REGION|Region:|X-TIMESTAMP-MAP|\d+$)/;

function cuesOf(text: string): { cues: Cue[]; notes: number; unreadable: number } {
  const cues: Cue[] = [];
  let notes = 0;
  let unreadable = 0;
  for (const block of text.replaceAll(/\r\n?/g, '\n').split(/\n{2,}/)) {
    const lines = block.split('\n');
    const at = lines.findIndex((line) => TIMING.test(line));
    if (at === -1 && /^NOTE\b/.test(block)) notes++;
    else if (at === -1 && block.trim() !== '' && !LAYOUT.test(block.trim())) unreadable++;
    const cueText = at === -1 ? '' : withoutMarkup(lines.slice(at + 1).join(' '));
    if (cueText === '') continue;
    const [, hours = '0', minutes, seconds] = TIMING.exec(lines[at] as string) as RegExpExecArray;
    cues.push({ startS: Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds), text: cueText });
  }
  return { cues, notes, unreadable };
}

/** Removes tags. The voice tag of WebVTT, `<v Ada>`, becomes the name of the speaker. */
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
