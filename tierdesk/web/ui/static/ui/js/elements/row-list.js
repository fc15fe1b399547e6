/** Adds, takes out and moves lines of a list in a form; without it their buttons send the form and it comes back. */
class RowList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const { add, drop, up } = button.dataset;
      if ([add, drop, up].every((one) => one === undefined)) return;
      event.preventDefault();
      if (add !== undefined) this.#add();
      else if (drop !== undefined) this.#drop(button.closest("li"));
      else this.#raise(button.closest("li"), button);
    });
  }

  get #rows() {
    return this.querySelector("ol");
  }

  #add() {
    const row = this.querySelector("template").content.cloneNode(true);
    const number = this.#next;
    for (const one of row.querySelectorAll("*")) {
      for (const { name, value } of one.attributes) one.setAttribute(name, value.replaceAll("__n__", number));
    }
    this.#rows.append(row);
    this.#focus(this.#rows.lastElementChild);
    this.#changed();
  }

  #drop(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (next) this.#focus(next);
    else this.#add();
    this.#changed();
  }

  /** What is sent is in the order of the numbers, so the two lines change places with all that was typed. */
  #raise(row, button) {
    const before = row.previousElementSibling;
    if (!before) return;
    const [upper, lower] = [before, row].map((one) => [...one.querySelectorAll("[name]:not(button)")]);
    upper.forEach((field, i) => ([field.name, lower[i].name] = [lower[i].name, field.name]));
    this.#rows.insertBefore(row, before);
    button.focus();
    this.#changed();
  }

  get #next() {
    const numbers = [...this.querySelectorAll("[data-drop]")].map((one) => Number(one.value.split(".").pop()));
    return Math.max(-1, ...numbers) + 1;
  }

  #focus(row) {
    row.querySelector("input, select, textarea")?.focus();
  }

  #changed() {
    this.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

customElements.define("row-list", RowList);
