import { useQuery } from '@tanstack/react-query';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { watchedFetch } from '../api/client.ts';
import { originalAddress } from '../documents/documents-query.ts';
import { Loading } from '../layout/Problems.tsx';
import { t } from '../texts/en.ts';
import { type Box, boxesOf, drawPage, openPdf, type Pdf } from './open-pdf.ts';
import './pdf.css';

/** A larger file can only be downloaded. */
const MAX_BYTES = 64 * 1024 * 1024;

interface PdfPagesProps {
  project: string;
  path: string;
  /** The page to begin with, from 1. */
  page: number;
  /** The text that is marked on every page that has a part of it. */
  passage?: string | undefined;
}

/** Draws the pages of a PDF, one at a time. No script in the file is run. */
export default function PdfPages({ project, path, page: first, passage }: PdfPagesProps) {
  const { data: bytes, error: unread } = useQuery({
    // Below the key of the document, so that a new upload reads it again; a file of this size is not read again on each focus.
    queryKey: ['document', project, path, 'original'],
    queryFn: () => bytesOf(originalAddress(project, path)),
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const { pdf, error } = usePdf(bytes);
  const [number, setNumber] = useState(first);

  const problem = unread?.message ?? (error === undefined ? undefined : t.pdf.unreadable);
  if (problem !== undefined) return <p className="state-line">{problem}</p>;
  if (pdf === undefined) return <Loading lines={8} />;
  const shown = Math.min(Math.max(1, number), pdf.pages);
  return (
    <div className="pdf">
      <nav className="row pdf-pages" aria-label={t.pdf.pages}>
        <button className="button button-small" disabled={shown === 1} onClick={() => setNumber(shown - 1)}>
          {t.pdf.before}
        </button>
        <span className="number small" role="status">
          {t.pdf.page(shown, pdf.pages)}
        </span>
        <button className="button button-small" disabled={shown === pdf.pages} onClick={() => setNumber(shown + 1)}>
          {t.pdf.next}
        </button>
      </nav>
      <PdfPage key={shown} pdf={pdf} number={shown} passage={passage} cited={shown === first} />
    </div>
  );
}

/** @throws Error with a message for the reader */
async function bytesOf(address: string): Promise<ArrayBuffer> {
  const response = await watchedFetch(address);
  if (!response.ok) throw new Error(t.pdf.unread);
  if (Number(response.headers.get('content-length') ?? 0) > MAX_BYTES) {
    await response.body?.cancel();
    throw new Error(t.pdf.tooLarge);
  }
  return response.arrayBuffer();
}

function usePdf(bytes: ArrayBuffer | undefined): { pdf?: Pdf; error?: Error } {
  const [opened, setOpened] = useState<{ pdf?: Pdf; error?: Error }>({});
  useEffect(() => {
    if (bytes === undefined) return;
    let open: Pdf | undefined;
    let left = false;
    // A copy, because the bytes are transferred to the worker.
    openPdf(bytes.slice(0)).then(
      (pdf) => {
        open = pdf;
        if (left) pdf.close();
        else setOpened({ pdf });
      },
      (error: Error) => setOpened({ error }),
    );
    return () => {
      left = true;
      open?.close();
    };
  }, [bytes]);
  return opened;
}

/** @param cited whether the passage is expected on this page */
function PdfPage({
  pdf,
  number,
  passage,
  cited,
}: {
  pdf: Pdf;
  number: number;
  passage: string | undefined;
  cited: boolean;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { boxes, failed } = useDrawn(pdf, number, passage, canvas);
  const firstMark = useRef<HTMLElement>(null);
  useEffect(() => {
    void firstMark.current?.scrollIntoView({ block: 'center' });
  }, [boxes]);
  return (
    <>
      <div className="pdf-page">
        {/* eslint-disable-next-line jsx-a11y-x/no-interactive-element-to-noninteractive-role -- this one is only a picture */}
        <canvas ref={canvas} role="img" aria-label={t.pdf.page(number, pdf.pages)} />
        {boxes?.map(({ left, top, width, height }, index) => (
          <mark
            key={index}
            ref={index === 0 ? firstMark : undefined}
            style={{ left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` }}
          />
        ))}
      </div>
      {failed && <p className="state-line">{t.pdf.notDrawn}</p>}
      {passage !== undefined && cited && boxes?.length === 0 && (
        <>
          <p className="state-line">{t.pdf.notMarked}</p>
          <blockquote className="passage-quote">{passage}</blockquote>
        </>
      )}
    </>
  );
}

/** Draws a page and finds the places of the passage on it. */
function useDrawn(pdf: Pdf, number: number, passage: string | undefined, place: RefObject<HTMLCanvasElement | null>) {
  const [boxes, setBoxes] = useState<Box[]>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let left = false;
    let drawing: ReturnType<typeof drawPage> | undefined;
    const draw = async () => {
      const page = await pdf.page(number);
      if (left || place.current === null) return;
      drawing = drawPage(page, place.current, place.current.clientWidth);
      await drawing.promise;
      const found = passage === undefined ? [] : await boxesOf(page, passage);
      if (!left) setBoxes(found);
    };
    draw().catch(() => !left && setFailed(true));
    return () => {
      left = true;
      drawing?.cancel();
    };
  }, [pdf, number, passage, place]);
  return { boxes, failed };
}
