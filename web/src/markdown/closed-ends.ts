import { useEffect, useState } from 'react';

type Close = (text: string) => string;
let close: Close | undefined;

/** Loads what {@link useClosedEnds} needs. */
export const loadClosedEnds = async (): Promise<Close> => (close ??= (await import('remend')).default);

/**
 * A function that closes what is open at the end of a growing text, such as `**bold`. Its code is loaded with the first growing
 * text, because complete texts, which is what most pages show first, do not need it; until then the text stays as it is.
 */
export function useClosedEnds(growing: boolean): Close {
  const [loaded, setLoaded] = useState(() => close);
  useEffect(() => {
    if (growing && loaded === undefined)
      void loadClosedEnds().then(
        (loadedNow) => setLoaded(() => loadedNow),
        () => undefined,
      );
  }, [growing, loaded]);
  return growing && loaded !== undefined ? loaded : asItIs;
}

const asItIs: Close = (text) => text;
