const PATIENCE_MS = 900;
const SWITCH = "tierdesk:keys";

/**
 * Presses whatever declares a key: data-key="e" or a sequence "g q" on a link, button or field, and
 * data-key="Control+Enter" for the form being written in. `?` shows them all, read from the page itself.
 */
class KeyboardShortcuts extends HTMLElement {
  #typed = "";
  #timer;
  #listen = (event) => this.#press(event);

  connectedCallback() {
    document.addEventListener("keydown", this.#listen);
    const help = this.querySelector("[data-keys-switch]");
    help.checked = this.#enabled;
    help.addEventListener("change", () => localStorage.setItem(SWITCH, help.checked ? "on" : "off"));
    document.addEventListener("click", this.#showOnClick);
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#listen);
    document.removeEventListener("click", this.#showOnClick);
  }

  #showOnClick = ({ target }) => {
    if (target.closest('[data-key="?"]')) this.#show();
  };

  /** WCAG 2.1.4: single keys can be switched off. */
  get #enabled() {
    return localStorage.getItem(SWITCH) !== "off";
  }

  #press(event) {
    if (event.isComposing || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key === "Enter") this.#send(event);
      return;
    }
    if (!this.#enabled || this.#writing(event.target) || document.querySelector("dialog:modal")) return;
    if (event.key.length !== 1 || event.key === " ") return;
    clearTimeout(this.#timer);
    this.#typed = `${this.#typed} ${event.key}`.trim();
    const target = this.#find(this.#typed) ?? this.#find(event.key);
    this.#timer = setTimeout(() => (this.#typed = ""), PATIENCE_MS);
    if (!target) return;
    this.#typed = "";
    event.preventDefault();
    this.#activate(target);
  }

  #find(keys) {
    return [...document.querySelectorAll(`[data-key="${CSS.escape(keys)}"]`)].find((one) => !one.disabled);
  }

  #writing(target) {
    return target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  }

  #send(event) {
    const button = event.target.form?.querySelector('[data-key="Control+Enter"]');
    if (!button) return;
    event.preventDefault();
    button.click();
  }

  #activate(target) {
    target.closest("details:not([open])")?.setAttribute("open", "");
    if (target.matches("input[type=radio]")) {
      target.click();
      target.form?.querySelector("textarea")?.focus();
    } else if (target.matches("input:not([type=checkbox]), textarea, select")) {
      target.focus();
      target.select?.();
    } else target.click();
  }

  #show() {
    const list = this.querySelector("[data-keys]");
    const seen = new Map();
    for (const one of document.querySelectorAll("[data-key]")) {
      const label = one.dataset.keyLabel || one.getAttribute("aria-label") || one.querySelector("span")?.textContent || one.textContent;
      if (!seen.has(one.dataset.key)) seen.set(one.dataset.key, label.trim());
    }
    list.replaceChildren(...[...seen].map(([keys, label]) => this.#line(keys, label)));
    this.querySelector("dialog").showModal();
  }

  #line(keys, label) {
    const line = Object.assign(document.createElement("div"), { className: "property" });
    const what = Object.assign(document.createElement("dt"), { textContent: label });
    const how = document.createElement("dd");
    how.append(...keys.split(/[ +]/).map((key) => Object.assign(document.createElement("kbd"), { className: "kbd", textContent: key })));
    line.append(what, how);
    return line;
  }
}

customElements.define("keyboard-shortcuts", KeyboardShortcuts);
