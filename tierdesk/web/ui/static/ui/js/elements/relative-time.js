const STEPS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/**
 * Writes the <time> inside it in the reader's language and zone.
 * data-form: ago (“5 minutes ago”), at (“2 Mar 2026, 09:15”), left (“1 h 5 min left”, then “… over”).
 */
class RelativeTime extends HTMLElement {
  #timer;

  connectedCallback() {
    this.#write();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  #write() {
    const time = this.querySelector("time");
    const at = Date.parse(time?.dateTime ?? "");
    if (Number.isNaN(at)) return;
    const seconds = (at - Date.now()) / 1000;
    const exact = this.#format({ dateStyle: "medium", timeStyle: "short" }, at);
    const form = this.dataset.form;
    time.textContent = form === "at" ? exact : form === "left" ? this.#left(seconds) : this.#ago(seconds);
    if (form !== "at") {
      time.title = exact;
      this.#timer = setTimeout(() => this.#write(), Math.abs(seconds) < 3600 ? 15_000 : 300_000);
    }
  }

  #ago(seconds) {
    const words = new Intl.RelativeTimeFormat(this.#language, { numeric: "auto", style: "short" });
    const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
    return unit === "second" ? words.format(0, "second") : words.format(Math.trunc(seconds / size), unit);
  }

  #left(seconds) {
    const minutes = Math.floor(Math.abs(seconds) / 60);
    const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
    const parts = hours >= 48 ? [[Math.floor(hours / 24), "day"], [hours % 24, "hour"]] : [[hours, "hour"], [rest, "minute"]];
    const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => this.#count(count, unit));
    const length = shown.join(" ") || this.#count(0, "minute");
    return (seconds < 0 ? this.dataset.over : this.dataset.left).replace("{0}", length);
  }

  #count(count, unit) {
    return new Intl.NumberFormat(this.#language, { style: "unit", unit, unitDisplay: "short" }).format(count);
  }

  #format(options, at) {
    return new Intl.DateTimeFormat(this.#language, options).format(at);
  }

  get #language() {
    return document.documentElement.lang || undefined;
  }
}

customElements.define("relative-time", RelativeTime);
