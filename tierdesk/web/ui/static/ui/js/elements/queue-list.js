const ROW = ".queue-row, tr";
const LINK = ".queue-link, .row-link";

/**
 * Walks through the tickets of a queue, or the rows of a table. The focus is the selection: rows are links, so Enter
 * opens and screen readers follow. Buttons with data-queue (next, previous, open, pick) declare the keys.
 */
class QueueList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", ({ target }) => {
      const command = target.closest("[data-queue]")?.dataset.queue;
      if (command) this.#obey(command);
    });
    this.addEventListener("focusin", ({ target }) => this.#remember(target));
    this.addEventListener("htmx:afterSwap", () => this.#restore());
  }

  get #links() {
    return [...this.querySelectorAll(LINK)];
  }

  get #current() {
    return document.activeElement?.closest(ROW)?.querySelector(LINK) ?? this.#remembered;
  }

  get #place() {
    return `tierdesk:place:${location.pathname}${location.search}`;
  }

  get #remembered() {
    const address = sessionStorage.getItem(this.#place);
    return this.#links.find((link) => link.getAttribute("href") === address);
  }

  #obey(command) {
    if (command === "open") this.#current?.click();
    else if (command === "pick") this.#current?.closest(ROW).querySelector(".pick")?.click();
    else this.#step(command === "next" ? 1 : -1);
  }

  #step(by) {
    const links = this.#links;
    const here = links.indexOf(this.#current);
    const visible = this.contains(document.activeElement);
    const goal = here < 0 ? 0 : visible ? here + by : here;
    const link = links[Math.min(Math.max(goal, 0), links.length - 1)];
    link?.focus({ focusVisible: true });
    link?.closest(ROW).scrollIntoView({ block: "nearest" });
  }

  #remember(target) {
    const link = target.closest(ROW)?.querySelector(LINK);
    if (link) sessionStorage.setItem(this.#place, link.getAttribute("href"));
  }

  /** A row that was refetched under the reader's focus keeps it. */
  #restore() {
    if (document.activeElement === document.body) this.#remembered?.focus({ preventScroll: true });
  }
}

customElements.define("queue-list", QueueList);
