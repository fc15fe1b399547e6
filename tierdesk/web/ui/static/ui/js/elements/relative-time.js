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
 * data-form: ago (“5 min. ago”), at (“2 Mar, 09:15”), running (“3:07”, counting up), left (“1 h 5 min left”, then “… over”; SI symbols need no language).
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
    const form = this.dataset.form;
    time.title = this.#format({ dateStyle: "medium", timeStyle: "short" }, at);
    if (form === "at") time.textContent = this.#at(at);
    else if (form === "running") time.textContent = this.#running(-seconds);
    else time.textContent = form === "left" ? this.#left(seconds) : this.#ago(seconds);
    const pause = form === "running" ? 1000 : Math.abs(seconds) < 3600 ? 15_000 : 300_000;
    if (form !== "at") this.#timer = setTimeout(() => this.#write(), pause);
  }

  /** The day is left out today, the year this year; the title has both. */
  #at(at) {
    const [then, now] = [new Date(at), new Date()];
    const time = { hour: "numeric", minute: "2-digit" };
    if (then.toDateString() === now.toDateString()) return this.#format(time, at);
    const day = { day: "numeric", month: "short" };
    const year = then.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
    return this.#format({ ...year, ...day, ...time }, at);
  }

  #ago(seconds) {
    const words = new Intl.RelativeTimeFormat(this.#language, { numeric: "auto", style: "short" });
    const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
    return unit === "second" ? words.format(0, "second") : words.format(Math.trunc(seconds / size), unit);
  }

  /** The clocks of server and reader may differ by a little: it never counts below nothing. */
  #running(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const parts = hours ? [hours, String(minutes).padStart(2, "0")] : [minutes];
    return [...parts, String(rest).padStart(2, "0")].join(":");
  }

  #left(seconds) {
    const minutes = Math.floor(Math.abs(seconds) / 60);
    const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
    const parts = hours >= 48 ? [[Math.floor(hours / 24), "d"], [hours % 24, "h"]] : [[hours, "h"], [rest, "min"]];
    const length = parts.filter(([count]) => count > 0).map((part) => part.join(" ")).join(" ") || "0 min";
    return (seconds < 0 ? this.dataset.over : this.dataset.left).replace("{0}", length);
  }

  #format(options, at) {
    return new Intl.DateTimeFormat(this.#language, options).format(at);
  }

  get #language() {
    return document.documentElement.lang || undefined;
  }
}

customElements.define("relative-time", RelativeTime);
