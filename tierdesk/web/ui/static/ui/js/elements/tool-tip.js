/** Ties a control to its explanation and lets Escape put the explanation away (WCAG 1.4.13). */
class ToolTip extends HTMLElement {
  connectedCallback() {
    const tip = this.querySelector("[role=tooltip]");
    this.firstElementChild?.setAttribute("aria-describedby", tip.id);
    this.addEventListener("keydown", ({ key }) => key === "Escape" && (this.dataset.dismissed = ""));
    for (const event of ["pointerleave", "focusout"]) this.addEventListener(event, () => delete this.dataset.dismissed);
  }
}

customElements.define("tool-tip", ToolTip);
