/** Building nodes; the only way text gets into a page here, and it stays text. */

/** Attributes of a node; `false` leaves one out, a function listens. */
export type Attributes = Record<
  string,
  string | number | boolean | undefined | ((event: never) => void)
>;

function apply(
  node: Element,
  attributes: Attributes,
  children: (Node | string)[]
): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      node.addEventListener(name, value as EventListener);
    } else if (value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? '' : String(value));
    }
  }
  node.append(...children);
}

/** An HTML element. */
export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  apply(node, attributes, children);
  return node;
}

/** An SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  apply(node, attributes, children);
  return node;
}

/** Set or remove attributes of a node that is there already. */
export function setAttributes(
  node: Element,
  attributes: Record<string, string | number | null>
): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) {
      node.removeAttribute(name);
    } else {
      node.setAttribute(name, String(value));
    }
  }
}
