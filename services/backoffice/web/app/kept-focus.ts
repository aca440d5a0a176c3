import { useEffect } from 'react';

/**
 * Where what has the focus is taken off the page, as a button is by its own success, browsers leave the focus nowhere: a screen reader falls silent at the start of
 * the page. Here the nearest thing around it that is left takes it: its card, else the screen.
 */
export function useKeptFocus(): void {
  useEffect(() => {
    /** What had the focus last, and all that is around it. */
    let around: readonly Element[] = [];
    const remember = (event: FocusEvent): void => {
      around = event.composedPath().filter((one) => one instanceof Element);
    };
    const forget = (): void => {
      queueMicrotask(() => {
        // Left by whoever clicked beside it, which is no loss.
        if (around[0]?.isConnected === true && isNowhere()) around = [];
      });
    };
    const keep = (): void => {
      if (around[0]?.isConnected !== false || !isNowhere()) return;
      const place = around.find((one) => one.isConnected && one.hasAttribute('tabindex'));
      if (place instanceof HTMLElement) place.focus({ preventScroll: true });
    };
    const observer = new MutationObserver(keep);
    observer.observe(document.body, { childList: true, subtree: true });
    document.addEventListener('focusin', remember);
    document.addEventListener('focusout', forget);
    return () => {
      observer.disconnect();
      document.removeEventListener('focusin', remember);
      document.removeEventListener('focusout', forget);
    };
  }, []);
}

const isNowhere = (): boolean =>
  document.activeElement === null || document.activeElement === document.body;
