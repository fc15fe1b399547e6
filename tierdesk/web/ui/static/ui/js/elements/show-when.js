/**
 * Shows what is inside it while the form's answers are among those of data-when: {"device": ["Laptop", "Tablet"]}.
 * What is hidden is not sent. Without scripts everything is shown, and the server leaves out what was not asked.
 */
class ShowWhen extends HTMLElement {
  #look = () => this.#show(Object.entries(this.#when).every(([name, wanted]) => this.#answers(name).some((one) => wanted.includes(one))));

  connectedCallback() {
    this.#form?.addEventListener("change", this.#look);
    this.#look();
  }

  disconnectedCallback() {
    this.#form?.removeEventListener("change", this.#look);
  }

  get #form() {
    return this.closest("form");
  }

  get #when() {
    return JSON.parse(this.dataset.when);
  }

  #answers(name) {
    return new FormData(this.#form).getAll(name);
  }

  /** A question that was hidden and took its answer along may hide those that hang on it. */
  #show(isAsked) {
    if (this.hidden === !isAsked) return;
    this.hidden = !isAsked;
    for (const field of this.querySelectorAll("input, select, textarea")) field.disabled = !isAsked;
    this.#form.dispatchEvent(new Event("change"));
  }
}

customElements.define("show-when", ShowWhen);
