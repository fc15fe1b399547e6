const PREFIX = "tierdesk:draft:";
const SENT = "tierdesk:sent";
const PAUSE_MS = 400;

/**
 * What was sent is forgotten when it was taken, and whether it was says the page that answers: it is none of a browser's
 * own, nor a way back, and neither complains of a field nor says that nothing was sent (data-unsent).
 */
function settle() {
  const place = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  if (place && isAnswer() && !complains(place)) localStorage.removeItem(place);
}

function isAnswer() {
  const [{ type }] = performance.getEntriesByType("navigation");
  return type !== "back_forward" && document.referrer.startsWith(`${location.origin}/`);
}

function complains(place) {
  const asked = [...document.querySelectorAll("auto-save-draft")].find((one) => PREFIX + one.dataset.key === place);
  return Boolean(document.querySelector("[data-unsent]") ?? asked?.querySelector("[aria-invalid=true]"));
}

/**
 * Keeps unsent words of the form inside it on this device, under data-key, until the form has been sent.
 * A form with data-forget-drafts (signing out) clears all of them.
 */
class AutoSaveDraft extends HTMLElement {
  #timer;

  connectedCallback() {
    this.#restore();
    this.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#save(), PAUSE_MS);
    });
    this.addEventListener("submit", () => {
      this.#save();
      sessionStorage.setItem(SENT, this.#place);
    });
    this.addEventListener("htmx:afterRequest", ({ detail }) => {
      if (detail.requestConfig.verb === "get") return;
      sessionStorage.removeItem(SENT);
      if (detail.successful) this.#clear();
    });
  }

  /** A preserved element is moved while news come: it stays what it is. */
  connectedMoveCallback() {}

  get #place() {
    return PREFIX + this.dataset.key;
  }

  get #fields() {
    return [...this.querySelectorAll("textarea[name], select[name], input[name]:not([type=hidden], [type=file], [type=password])")];
  }

  #save() {
    clearTimeout(this.#timer);
    const words = {};
    for (const field of this.#fields) {
      const said = field.matches("[type=radio], [type=checkbox]") ? field.checked && field.value : field.value;
      if (said) (words[field.name] ??= []).push(said);
    }
    if (Object.keys(words).length) localStorage.setItem(this.#place, JSON.stringify(words));
    else this.#clear();
  }

  #restore() {
    const words = JSON.parse(localStorage.getItem(this.#place) ?? "{}");
    for (const field of this.#fields) {
      const kept = [words[field.name] ?? []].flat();
      if (!kept.length) continue;
      if (field.matches("[type=radio], [type=checkbox]")) field.checked ||= kept.includes(field.value);
      else if (!field.value) field.value = kept[0];
      else continue;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  #clear() {
    clearTimeout(this.#timer);
    localStorage.removeItem(this.#place);
  }
}

settle();
addEventListener("pageshow", ({ persisted }) => persisted && sessionStorage.removeItem(SENT));
customElements.define("auto-save-draft", AutoSaveDraft);

document.addEventListener("submit", ({ target }) => {
  if (!target.matches("[data-forget-drafts]")) return;
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  }
});
