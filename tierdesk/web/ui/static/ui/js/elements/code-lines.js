/** A link with data-line, anywhere on the page, leads to that line of the text inside this element. */
class CodeLines extends HTMLElement {
  #lead = (event) => {
    const line = event.target.closest("a[data-line]")?.dataset.line;
    if (!line) return;
    event.preventDefault();
    this.#select(Number(line));
  };

  connectedCallback() {
    document.addEventListener("click", this.#lead);
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.#lead);
  }

  #select(number) {
    const text = this.querySelector("textarea");
    const lines = text.value.split("\n");
    const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[number - 1] ?? "").length);
    text.scrollTop = (text.scrollHeight / lines.length) * (number - 1) - text.clientHeight / 2;
    text.scrollIntoView({ block: "nearest" });
  }
}

customElements.define("code-lines", CodeLines);
