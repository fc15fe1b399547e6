/** Adds, takes out and moves lines of a list in a form; without it their buttons send the form and it comes back.
    A line may hold a list of its own: each list minds only its own buttons, and numbers only its own lines. */
class RowList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.closest("row-list") !== this) return;
      const { add, drop, up } = button.dataset;
      if ([add, drop, up].every((one) => one === undefined)) return;
      event.preventDefault();
      if (add !== undefined) this.#add();
      else if (drop !== undefined) this.#drop(button.closest("li"));
      else this.#raise(button.closest("li"), button);
    });
  }

  get #rows() {
    return this.querySelector(":scope > ol");
  }

  #add() {
    const row = this.querySelector(":scope > template").content.cloneNode(true);
    const number = this.#next;
    rewrite(row, (words) => words.replace(/(^|\s)(\S*?)__n__/g, `$1$2${number}`));
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

  /** What is sent is in the order of the numbers, so the two lines change numbers with all that was typed. */
  #raise(row, button) {
    const before = row.previousElementSibling;
    if (!before) return;
    const [upper, lower] = [before, row].map(placeOf);
    rewrite(before, (words) => moved(words, upper, lower));
    rewrite(row, (words) => moved(words, lower, upper));
    this.#rows.insertBefore(row, before);
    button.focus();
    this.#changed();
  }

  get #next() {
    const numbers = [...this.#rows.children].map((row) => Number(placeOf(row).split(".").pop()));
    return Math.max(-1, ...numbers) + 1;
  }

  #focus(row) {
    row.querySelector("input, select, textarea")?.focus();
  }

  #changed() {
    this.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** Where a line stands in the form, such as `layers.0`. */
function placeOf(row) {
  return row.querySelector(":scope > [data-drop]").value.replace("drop:", "");
}

/** Names at one place as they are at another; `layers.1` is no part of `layers.10`. */
function moved(words, from, to) {
  return words.replace(new RegExp(`${from.replaceAll(".", "\\.")}(?![0-9])`, "g"), to);
}

/** Changes the names in a line and in the blanks of the lists inside it; what was typed is no attribute. */
function rewrite(row, change) {
  for (const one of row.querySelectorAll("*")) {
    for (const name of ["name", "id", "for", "aria-describedby", ...(one.matches("button") ? ["value"] : [])]) {
      if (one.hasAttribute(name)) one.setAttribute(name, change(one.getAttribute(name)));
    }
    if (one.matches("template")) rewrite(one.content, change);
  }
}

customElements.define("row-list", RowList);
