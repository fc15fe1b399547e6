const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
const GATHER_MS = 250;
const ANSWER_MS = 5000;

/**
 * Listens at data-src for topics such as `ticket:42` (one or several a message, parted by spaces).
 * Each topic is announced on the document as `live:ticket` with detail {topic, id}, and every element whose
 * data-live names it (or `ticket:*`) gets the event `live`, on which its hx-trigger refetches it.
 * A hidden tab does not listen; when it is shown again, everything that may have changed is refetched. A page that has
 * just been opened says when the server began to make it (data-since), to be told what changed while it was on its way.
 */
class LiveUpdates extends HTMLElement {
  #source;
  #wait = FIRST_WAIT_MS;
  #timer;
  #changed = new Set();
  #gathering;
  #missed = false;
  #visibility = () => (document.hidden ? this.#pause() : this.#listen());

  connectedCallback() {
    document.addEventListener("visibilitychange", this.#visibility);
    if (!document.hidden) this.#listen();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#visibility);
    this.#pause();
  }

  #listen() {
    clearTimeout(this.#timer);
    if (this.#source) return;
    const { src, since } = this.dataset;
    this.#source = new EventSource(this.#missed || !since ? src : `${src}?since=${since}`);
    this.#source.addEventListener("open", () => this.#resume());
    this.#source.addEventListener("message", ({ data }) => data.split(/\s+/).filter(Boolean).forEach((one) => this.#hear(one)));
    this.#source.addEventListener("error", () => this.#retry());
  }

  #pause() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
    this.#missed = true;
  }

  #resume() {
    this.#wait = FIRST_WAIT_MS;
    if (this.#missed) document.querySelectorAll("[data-live]").forEach((element) => this.#refetch(element));
    this.#missed = false;
  }

  #retry() {
    this.#pause();
    this.#timer = setTimeout(() => !document.hidden && this.#listen(), this.#wait * (0.5 + Math.random()));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  #hear(topic) {
    const [kind, id] = topic.split(":");
    document.dispatchEvent(new CustomEvent(`live:${kind}`, { detail: { topic, id } }));
    this.#changed.add(topic).add(`${kind}:*`);
    this.#gathering ??= setTimeout(() => this.#spread(), GATHER_MS);
  }

  #spread() {
    this.#gathering = undefined;
    const showing = [...document.querySelectorAll("[data-live]")].filter((element) =>
      element.dataset.live.split(" ").some((topic) => this.#changed.has(topic)),
    );
    this.#changed.clear();
    showing.forEach((element) => this.#refetch(element));
  }

  /**
   * Never pulls a field away from under somebody's hands, nor a dialog or menu that they have opened: the refetch waits
   * until they leave it, unless the field stays where it is (hx-preserve, in browsers that move an element with its focus). While a form is on its way the page is about to be replaced, and news would be taken for the
   * answer: it waits as long as an answer may take, and then comes all the same, for the reader may have stopped the form.
   */
  #refetch(element, patient = true) {
    if (patient && document.querySelector("form[data-sent]")) {
      setTimeout(() => element.isConnected && this.#refetch(element, false), ANSWER_MS);
      return;
    }
    const [inUse, leaving] = this.#inUse(element);
    if (inUse) inUse.addEventListener(leaving, () => this.#refetch(element), { once: true });
    else element.dispatchEvent(new CustomEvent("live"));
  }

  /** What somebody has before them in it, and the event that tells that they may have left it. */
  #inUse(element) {
    const dialog = element.querySelector("dialog[open]");
    if (dialog) return [dialog, "close"];
    const menu = element.querySelector(":popover-open");
    if (menu) return [menu, "toggle"];
    const field = element.querySelector("textarea:focus, input:focus, select:focus");
    const stays = "moveBefore" in Element.prototype && field?.closest("[hx-preserve]");
    return [stays ? null : field, "blur"];
  }
}

// News that comes beside what was asked for leaves an open dialog, and whatever has the focus, as it is.
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
  if (detail.target.querySelector("dialog[open], :focus")) detail.shouldSwap = false;
});

customElements.define("live-updates", LiveUpdates);
