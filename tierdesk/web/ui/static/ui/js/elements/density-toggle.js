import { Preference } from "../preference.js";

/** Room to breathe, or more rows on the screen. */
class DensityToggle extends HTMLElement {
  connectedCallback() {
    new Preference("density", "comfortable").offerIn(this);
  }
}

customElements.define("density-toggle", DensityToggle);
