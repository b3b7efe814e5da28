/** Colours for a canvas, which knows no CSS variables, and word of when they change. */

/** What a canvas needs of the theme. */
export interface Palette {
  readonly dark: boolean;
  readonly background: string;
  readonly text: string;
  readonly quiet: string;
}

/** Whether the theme around a node is dark. */
export function isDark(): boolean {
  const light = document.body.dataset.jpThemeLight;
  return light !== undefined
    ? light === 'false'
    : (globalThis.matchMedia?.('(prefers-color-scheme: dark)').matches ?? false);
}

/** Read the colours that hold at a node. */
export function readPalette(node: Element): Palette {
  const style = getComputedStyle(node);
  const read = (name: string, other: string): string =>
    style.getPropertyValue(name).trim() || other;
  return {
    dark: isDark(),
    background: read('--jp-layout-color1', 'Canvas'),
    text: read('--jp-ui-font-color0', 'CanvasText'),
    quiet: read('--jp-ui-font-color3', 'GrayText')
  };
}

/** Call back when the theme changes; returns how to stop. */
export function onThemeChange(callback: () => void): () => void {
  const observer = new MutationObserver(callback);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light']
  });
  return () => observer.disconnect();
}
