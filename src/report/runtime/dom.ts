/** Small helpers around the DOM. Text goes in by textContent only. */
import { visible } from '../escape.js';

type Child = Node | string | null;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  for (const child of children) {
    if (typeof child === 'string') appendText(node, visible(child));
    else if (child !== null) node.append(child);
  }
  return node;
}

/** Flags joined by `|` may part behind it, but no flag is broken in two. */
function appendText(node: HTMLElement, text: string): void {
  text.split(/(?<=\|)/).forEach((part, i) => {
    if (i > 0) node.append(document.createElement('wbr'));
    node.append(part);
  });
}

export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const node = document.getElementById(id);
  if (!(node instanceof type)) throw new Error(`no ${type.name} with id ${id}`);
  return node;
}

/** Says something to screen readers. */
export function announce(text: string): void {
  byId('announce', HTMLDivElement).textContent = visible(text);
}

export function download(name: string, type: string, content: string | Blob): void {
  const blob = typeof content === 'string' ? new Blob([content], { type }) : content;
  const url = URL.createObjectURL(blob);
  const link = element('a', { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
