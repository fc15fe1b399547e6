/** Says how many rows of its form are picked, such as “(3)”; nothing where none is. */
class PickCount extends HTMLElement {
  #count = () => {
    const picked = this.#form.querySelectorAll(".pick:checked").length;
    this.textContent = picked ? `(${picked})` : "";
  };

  connectedCallback() {
    this.#form.addEventListener("change", this.#count);
    addEventListener("pageshow", this.#count); // a browser picks again what was picked, for whoever comes back
    this.#count();
  }

  disconnectedCallback() {
    removeEventListener("pageshow", this.#count);
  }

  get #form() {
    return this.closest("form");
  }
}

customElements.define("pick-count", PickCount);
