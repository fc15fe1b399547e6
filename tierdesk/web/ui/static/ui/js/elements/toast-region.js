const SHOWN_MS = 7000;

/**
 * Shows passing words: those the page came with, and every `toast` event (detail: {text, tone, undo: {label, href}}),
 * which an answer sends as `HX-Trigger: {"toast": {…}}`. They wait while looked at; troubles stay until dismissed.
 */
class ToastRegion extends HTMLElement {
  #hear = ({ detail }) => this.#add(detail);

  connectedCallback() {
    document.addEventListener("toast", this.#hear);
    this.addEventListener("click", ({ target }) => {
      if (target.closest("[data-dismiss]")) target.closest(".toast").remove();
    });
    for (const toast of this.querySelectorAll(".toast")) this.#expire(toast);
  }

  disconnectedCallback() {
    document.removeEventListener("toast", this.#hear);
  }

  #add({ text, value, tone = "info", undo }) {
    const toast = this.querySelector("template").content.cloneNode(true).querySelector(".toast");
    toast.dataset.tone = tone;
    toast.querySelector(".toast-text").textContent = text ?? value ?? "";
    if (undo) toast.querySelector(".toast-text").after(this.#link(undo));
    this.append(toast);
    this.#expire(toast);
  }

  #link({ label, href }) {
    return Object.assign(document.createElement("a"), { className: "button", textContent: label, href });
  }

  #expire(toast) {
    if (toast.dataset.tone === "danger") return;
    let timer = setTimeout(() => toast.remove(), SHOWN_MS);
    const hold = () => clearTimeout(timer);
    const release = () => (timer = setTimeout(() => toast.remove(), SHOWN_MS));
    for (const event of ["pointerenter", "focusin"]) toast.addEventListener(event, hold);
    for (const event of ["pointerleave", "focusout"]) toast.addEventListener(event, release);
  }
}

customElements.define("toast-region", ToastRegion);
