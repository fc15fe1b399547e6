/** Picks every row of its form, or none. Hidden without scripts, since it would do nothing. */
class PickAll extends HTMLElement {
  #show = () => {
    const picked = this.#picks.filter((one) => one.checked).length;
    this.#box.checked = picked > 0 && picked === this.#picks.length;
    this.#box.indeterminate = picked > 0 && picked < this.#picks.length;
  };

  connectedCallback() {
    this.hidden = false;
    this.#box.addEventListener("change", () => this.#pick(this.#box.checked));
    this.#form.addEventListener("change", this.#show);
    addEventListener("pageshow", this.#show); // a browser picks again what was picked, for whoever comes back
    this.#show();
  }

  disconnectedCallback() {
    removeEventListener("pageshow", this.#show);
  }

  get #form() {
    return this.closest("form");
  }

  get #box() {
    return this.querySelector("input");
  }

  get #picks() {
    return [...this.#form.querySelectorAll(".pick")];
  }

  #pick(wanted) {
    for (const one of this.#picks) one.checked = wanted;
  }
}

customElements.define("pick-all", PickAll);
