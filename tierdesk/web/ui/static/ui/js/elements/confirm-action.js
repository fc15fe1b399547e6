/** Holds back the form inside it until its dialog has been answered with yes. */
class ConfirmAction extends HTMLElement {
  #agreed = false;
  #submitter;

  connectedCallback() {
    this.addEventListener("submit", (event) => this.#ask(event), { capture: true });
    this.addEventListener("click", ({ target }) => {
      const answer = target.closest("[data-confirm]")?.dataset.confirm;
      if (answer) this.#answer(answer === "yes");
    });
  }

  #ask(event) {
    if (this.#agreed) {
      this.#agreed = false;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#submitter = event.submitter;
    this.querySelector("dialog").showModal();
  }

  #answer(yes) {
    this.querySelector("dialog").close();
    if (!yes) return;
    this.#agreed = true;
    this.querySelector("form").requestSubmit(this.#submitter);
  }
}

customElements.define("confirm-action", ConfirmAction);
