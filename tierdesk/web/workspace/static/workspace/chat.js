// The agent's side of a chat: lines are added one by one, Enter sends, and the visitor sees that somebody types.

const TYPING_MS = 3000;

class ChatLog extends HTMLElement {
  connectedCallback() {
    this.scrollTop = this.scrollHeight;
    this.addEventListener("live", () => this.#fetch());
    document.addEventListener("said", () => this.#fetch());
    this.addEventListener("htmx:afterSwap", () => (this.scrollTop = this.scrollHeight));
  }

  /** One at a time, so that no line is added twice; what came meanwhile is asked for afterwards. */
  async #fetch() {
    this.again = true;
    if (this.asking) return;
    this.asking = true;
    while (this.again) {
      this.again = false;
      const last = this.lastElementChild?.id.replace("line-", "") || "0";
      await htmx.ajax("GET", `${this.dataset.src}?after=${last}`, { target: this, swap: "beforeend" });
    }
    this.asking = false;
  }
}

class ChatComposer extends HTMLElement {
  #typedAt = 0;

  connectedCallback() {
    const text = this.querySelector("textarea");
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (text.value.trim()) text.form.requestSubmit();
    });
    text.addEventListener("input", () => this.#tell(!!text.value));
    this.addEventListener("htmx:afterRequest", ({ detail }) => {
      if (!detail.successful || detail.requestConfig.verb !== "post") return;
      text.value = "";
      this.#typedAt = 0;
    });
  }

  #tell(typing) {
    if (typing && Date.now() - this.#typedAt < TYPING_MS) return;
    this.#typedAt = typing ? Date.now() : 0;
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const body = new URLSearchParams(typing ? { typing: "1" } : {});
    fetch(this.dataset.typing, { method: "POST", headers: { "X-CSRFToken": token }, body }).catch(() => {});
  }
}

customElements.define("chat-log", ChatLog);
customElements.define("chat-composer", ChatComposer);
