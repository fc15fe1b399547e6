/** Asks before a page is left whose form has words that were not sent. */
class UnsavedChanges extends HTMLElement {
  #hold = (event) => event.preventDefault();

  connectedCallback() {
    if (this.hasAttribute("data-changed")) this.#watch();
    this.addEventListener("input", () => this.#watch());
    this.addEventListener("submit", () => removeEventListener("beforeunload", this.#hold));
  }

  disconnectedCallback() {
    removeEventListener("beforeunload", this.#hold);
  }

  #watch() {
    addEventListener("beforeunload", this.#hold);
  }
}

customElements.define("unsaved-changes", UnsavedChanges);
