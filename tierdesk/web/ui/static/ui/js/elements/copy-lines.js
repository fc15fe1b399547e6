const SHOWN_MS = 2000;

/**
 * Gives each block of lines inside it a button that copies them, and says so. It stands in the template. Without
 * scripts, and where a browser lets no page write to the clipboard (neither https nor this machine), there is none.
 */
class CopyLines extends HTMLElement {
  connectedCallback() {
    if (!navigator.clipboard || this.querySelector(".copy-bar")) return;
    for (const block of this.querySelectorAll("pre")) block.before(this.#bar(block));
  }

  #bar(block) {
    const bar = this.querySelector("template").content.firstElementChild.cloneNode(true);
    const button = bar.querySelector("button");
    const lines = block.textContent.trimEnd();
    button.ariaLabel = `${button.textContent.trim()}: ${lines.split("\n", 1)[0]}`;
    button.addEventListener("click", () => this.#copy(lines, button));
    return bar;
  }

  async #copy(lines, button) {
    const copied = await navigator.clipboard.writeText(lines).then(() => true, () => false);
    this.#say(copied ? this.dataset.copied : this.dataset.refused);
    if (!copied) return;
    const words = button.querySelector("span");
    words.dataset.before ??= words.textContent;
    words.textContent = this.dataset.copied;
    setTimeout(() => (words.textContent = words.dataset.before), SHOWN_MS);
  }

  /** Words that stand there already are not said again, so they are taken away first. */
  #say(words) {
    const announcements = document.querySelector("#announcements");
    announcements.textContent = "";
    setTimeout(() => (announcements.textContent = words), 50);
  }
}

customElements.define("copy-lines", CopyLines);
