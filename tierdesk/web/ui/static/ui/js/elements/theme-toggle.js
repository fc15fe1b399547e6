import { Preference } from "../preference.js";

/** Light, dark, or as the system says. */
class ThemeToggle extends HTMLElement {
  connectedCallback() {
    new Preference("theme", "auto").offerIn(this);
  }
}

customElements.define("theme-toggle", ThemeToggle);
