import { createRequire } from 'node:module';
import { languageData } from './language-data.ts';
import type { Picture } from './picture.ts';

const require = createRequire(import.meta.url);

/** What is used of the interface of tesseract.js-core, which has no types. */
interface Core {
  FS: { writeFile(name: string, content: Uint8Array): void };
  TessBaseAPI: new () => {
    /** @returns 0 where the languages could be loaded */
    Init(path: null, languages: string, engine: number): number;
    /** Takes the file `/input`, turned as Exif's orientation says. @returns 1 where it is no picture that it reads */
    SetImageFile(orientation: number, radians: number): number;
    Recognize(monitor: null): number;
    GetUTF8Text(): string;
    /** The mean over the words, in percent. */
    MeanTextConf(): number;
  };
}
const LSTM_ONLY = 1;

export interface Recognised {
  /** Empty where no text was found. */
  text: string;
  /** In percent. */
  confidence: number;
}

/** Below this confidence a page may lie on its side or upside down: pages that stand upright are above it. */
const UPRIGHT_CONFIDENCE = 70;
/** Below this confidence the letters are those that noise and drawings look like. */
const MIN_CONFIDENCE = 40;
/** Exif's orientations for a quarter turn to the right, to the left, and a half turn. */
const TURNS = [8, 6, 3];
/** The share of a page's time after which no further turn is tried. */
const TURN_SHARE = 0.3;

/** Text recognition by Tesseract's LSTM engine, compiled to WebAssembly. */
export class Tesseract {
  private readonly core: Core;
  private readonly api: InstanceType<Core['TessBaseAPI']>;

  private constructor(core: Core, languages: readonly string[]) {
    this.core = core;
    for (const language of languages) core.FS.writeFile(`${language}.traineddata`, languageData(language));
    this.api = new core.TessBaseAPI();
    const loaded = this.api.Init(null, languages.join('+'), LSTM_ONLY);
    if (loaded !== 0) throw new Error(`Tesseract does not take the data of the languages ${languages.join(', ')}`);
  }

  static async load(languages: readonly string[]): Promise<Tesseract> {
    const load = require('tesseract.js-core/tesseract-core-simd-lstm') as (options: object) => Promise<Core>;
    return new Tesseract(await load({}), languages);
  }

  /**
   * The text of a picture. Where it can hardly be read, the picture is turned as well, and the best reading counts.
   * @returns undefined where the picture can not be decoded
   */
  recognise(picture: Picture, timeoutMs: number): Recognised | undefined {
    const beganMs = performance.now();
    const upright = 'file' in picture ? picture.orientation : 1;
    this.core.FS.writeFile('/input', 'file' in picture ? picture.file : portableGraymap(picture));
    let best: Recognised | undefined;
    for (const orientation of new Set([upright, ...TURNS])) {
      if (this.api.SetImageFile(orientation, 0) === 1) return undefined;
      this.api.Recognize(null);
      const read = { text: this.api.GetUTF8Text().trim(), confidence: this.api.MeanTextConf() };
      if (best === undefined || read.confidence > best.confidence) best = read;
      const isSlow = performance.now() - beganMs > timeoutMs * TURN_SHARE;
      if (best.confidence >= UPRIGHT_CONFIDENCE || isSlow) break;
    }
    return best !== undefined && best.confidence >= MIN_CONFIDENCE && /[\p{L}\p{N}]{2}|[\p{Lo}]/u.test(best.text)
      ? best
      : { text: '', confidence: 0 };
  }
}

/** A format of Netpbm that consists of a line of sizes and the pixels. */
function portableGraymap({ width, height, gray }: { width: number; height: number; gray: Uint8Array }): Buffer {
  return Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), gray]);
}
