/** Whether a node is in sight: outputs scroll away without being told. */

/** Call back with true and false as the node comes and goes; returns how to stop. */
export function onScreen(
  node: Element,
  callback: (visible: boolean) => void
): () => void {
  if (typeof IntersectionObserver === 'undefined') {
    callback(true);
    return () => callback(false);
  }
  const observer = new IntersectionObserver(
    entries => callback(entries.some(entry => entry.isIntersecting)),
    // Begun a little before it scrolls into view, so that nobody sees it load.
    { rootMargin: '200px' }
  );
  observer.observe(node);
  return () => {
    observer.disconnect();
    callback(false);
  };
}
