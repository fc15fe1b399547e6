/* The chat of Tierdesk. Words are shown as text, never as markup. */
(() => {
const script = document.currentScript;
const HIDDEN_MS = 12e4, TYPING_MS = 3e3, LONGEST_MS = 3e4, POLL_MS = 5e3;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const random = (bytes) => [...crypto.getRandomValues(new Uint8Array(bytes))].map((one) => one.toString(16).padStart(2, "0")).join("");

const STYLE = `
:host { --ink: light-dark(#1c2530, #eceff2); --soft: light-dark(#4f5b68, #b4bdc6); --ground: light-dark(#fff, #191e24);
--line: light-dark(#d5dbe1, #3a434d); --edge: light-dark(#7b8794, #86919c); --accent: light-dark(#0a5a78, #6cc3de);
--on: light-dark(#fff, #0b1a21); --ours: light-dark(#e7f2f7, #1e3440); --theirs: light-dark(#f0f2f4, #262d35);
--bad: light-dark(#a3231f, #ff9d94); color: var(--ink); font: 15px/1.45 system-ui, sans-serif }
:host([theme=light]) { color-scheme: light } :host([theme=dark]) { color-scheme: dark }
* { box-sizing: border-box; font: inherit } [hidden] { display: none !important }
button, input, textarea { border: 1px solid var(--edge); border-radius: 8px; color: inherit }
button { min-height: 40px; background: none; padding: 0 14px }
.main, .launch { background: var(--accent); border-color: var(--accent); color: var(--on); font-weight: 600 }
.icon { border: 0; min-width: 40px; font-size: 20px }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.launch, .floats { position: fixed; inset: auto 20px 20px auto; z-index: 2147483000; box-shadow: 0 4px 24px #0006 }
.launch { border-radius: 24px; min-height: 48px; padding: 0 20px }
.count { background: var(--on); color: var(--accent); border-radius: 10px; padding: 1px 8px; margin-inline-start: 8px }
.panel { display: flex; flex-direction: column; background: var(--ground); border: 1px solid var(--line);
border-radius: 14px; overflow: hidden; max-height: 74dvh }
.log:empty { display: none }
.floats { max-height: none; width: min(380px, 100vw - 24px); height: min(600px, 100dvh - 40px) }
header { display: flex; align-items: center; gap: 4px; padding: 8px 8px 8px 16px; border-bottom: 1px solid var(--line) }
h2 { flex: 1; margin: 0; font-weight: 600 }
.log { flex: 1; overflow-y: auto; padding: 12px 16px; display: flex; flex-direction: column; gap: 10px; min-height: 60px }
.line { max-width: 85%; padding: 8px 12px; margin: 0; border-radius: 12px; background: var(--theirs); align-self: end;
overflow-wrap: anywhere }
.ours { background: var(--ours); align-self: start } .pending { border: 1px dashed }
.who, time, .note, small { color: var(--soft); font-size: 13px }
.who { display: flex; gap: 12px; justify-content: space-between; font-weight: 600 } time { flex: none; font-weight: 400 }
.text { white-space: pre-wrap } a { color: var(--accent) }
.note { margin: 0; padding: 4px 16px; min-height: 2em } .note:empty { min-height: 0; padding: 0 } .bad { color: var(--bad) }
form, form > div { display: grid; gap: 8px }
form { padding: 8px 16px 14px; border-top: 1px solid var(--line) }
label { display: grid; gap: 5px; font-size: 14px }
input, textarea { width: 100%; padding: 8px 10px; background: var(--ground); resize: none; font-size: 16px }
.row { display: flex; flex-wrap: wrap; align-items: end } .row label { flex: 1 200px }
@media (max-width: 480px) { .floats { inset: 0; width: auto; height: 100dvh; border-radius: 0 } }`;

const make = (tag, props = {}, ...kids) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...kids.filter(Boolean));
  return node;
};

const linked = (text) => text.split(/(https?:\/\/[^\s<>"']+)/).map((part, odd) =>
  odd % 2 ? make("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow" }, part) : part);

class Chat {
  constructor({ key, who = "", vouch = "" }) {
    this.base = new URL(`/portal/chat/${key}/`, script.src);
    this.stream = new URL(`/live/chat/${key}`, script.src);
    this.place = `tierdesk-chat:${key}:${who}`;
    this.vouch = vouch;
    this.shown = new Map();
    this.acked = this.newest = this.unread = 0;
    try { this.kept = JSON.parse(localStorage[this.place]); } catch { this.kept = { pending: [] }; }
  }

  keep() {
    try { localStorage[this.place] = JSON.stringify(this.kept); } catch { }
  }

  async ask(path, body, more) {
    const headers = { Authorization: `Bearer ${this.kept.token}`, ...(body && { "Content-Type": "application/json" }) };
    const how = { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), credentials: "omit", ...more };
    return fetch(new URL(path, this.base), how).catch(() => null);
  }

  async begin() {
    const answer = await this.ask("state/");
    if (!answer?.ok) return;
    this.about = await answer.json();
    this.words = this.about.words;
    this.build();
    if (this.kept.begun || this.kept.pending.length) await this.catchUp();
    this.show(this.kept.open || this.placed);
    this.log.ariaLive = "polite";
    this.flush();
    document.addEventListener("visibilitychange", () => this.lookAway());
    addEventListener("pagehide", () => this.sign({ left: true }));
    addEventListener("pageshow", ({ persisted }) => persisted && this.listen());
    document.addEventListener("submit", ({ target }) => target.matches("[data-forget-drafts]") && this.forget());
  }

  build() {
    const { words, about } = this, inPlace = document.querySelector(script.dataset.inPlace || null);
    const host = make("div");
    if (script.dataset.theme) host.setAttribute("theme", script.dataset.theme);
    const root = host.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.placed = !!inPlace;
    this.count = make("span", { className: "count", hidden: true });
    this.launch = make("button", { type: "button", className: "launch", onclick: () => this.show(true, true) }, words.open, this.count);
    this.log = make("div", { className: "log", role: "log", ariaLive: "off", tabIndex: 0, ariaLabel: about.name });
    this.note = make("p", { className: "note", role: "status" });
    this.typing = make("p", { className: "note" });
    this.name = make("input", { autocomplete: "name", maxLength: 200, value: this.kept.name ?? "" });
    this.email = make("input", { type: "email", autocomplete: "email", maxLength: 254, value: this.kept.email ?? "" });
    this.line = make("textarea", { rows: 2, required: true, maxLength: 4000 });
    this.send = make("button", { className: "main" }, words.send);
    this.person = make("div", {}, make("label", {}, words.name, this.name),
      make("label", {}, words.email, this.email, make("small", {}, words.emailWhy)));
    this.form = make("form", {}, this.person, make("div", { className: "row" }, make("label", {}, words.line, this.line), this.send),
      make("small", {}, words.kept));
    this.finish = make("button", { type: "button", hidden: true, onclick: () => this.ask("end/", {}).then(() => this.catchUp()) }, words.finish);
    this.anew = make("button", { type: "button", hidden: true, onclick: () => this.startAnew() }, words.anew);
    const close = make("button", { type: "button", className: "icon", ariaLabel: words.close, onclick: () => this.show(false, true) }, "×");
    this.panel = make("section", { className: inPlace ? "panel" : "panel floats", role: inPlace ? "region" : "dialog", ariaLabel: about.name },
      make("header", {}, make("h2", {}, about.name), this.anew, this.finish, !inPlace && close),
      this.log, this.typing, this.note, this.form);
    this.form.onsubmit = () => { this.say(); return false; };
    this.line.onkeydown = ({ key, shiftKey, isComposing }) => {
      if (key !== "Enter" || shiftKey || isComposing) return true;
      this.form.requestSubmit();
      return false;
    };
    this.line.oninput = () => this.type();
    this.panel.onkeydown = ({ key }) => { if (key === "Escape" && !inPlace) this.show(false, true); };
    if (about.greeting && !inPlace) this.log.append(make("p", { className: "line ours" }, about.greeting));
    root.append(this.panel, this.launch);
    if (inPlace) inPlace.replaceWith(host); else document.body.append(host);
    this.refresh();
  }

  /** What stands around the lines. */
  refresh(now = {}) {
    const { words } = this, begun = this.kept.begun, open = now.open ?? this.about.open;
    this.state = now.state ?? this.state;
    this.person.hidden = begun || !!this.vouch;
    this.email.required = !(open || this.person.hidden);
    this.send.textContent = begun ? words.send : open ? words.start : words.leave;
    this.finish.hidden = !begun || !["live", "waiting"].includes(this.state);
    this.anew.hidden = !begun || this.state !== "ended";
    this.typing.textContent = now.typing ? `${now.agent} ${words.typing}` : "";
    let text = open ? "" : words.closed;
    if (begun) text = { waiting: words.waiting, live: `${words.talking} ${now.agent}.`, ended: open ? words.ended : words.left }[this.state] ?? "";
    if (begun && now.number && this.state !== "live") text += ` ${words.number} ${now.number}.`;
    this.tell(text);
  }

  tell(text, bad = false) {
    if (this.note.textContent !== text) this.note.textContent = text;
    this.note.classList.toggle("bad", bad);
  }

  show(open, byHand = false) {
    this.panel.hidden = !open;
    this.launch.hidden = open;
    if (byHand) {
      this.kept.open = open;
      this.keep();
      (open ? (this.person.hidden ? this.line : this.name) : this.launch).focus();
    }
    if (open) { this.scroll(); this.acknowledge(); }
  }

  async say() {
    const text = this.line.value.trim();
    if (!text || !this.form.reportValidity()) return;
    this.kept.token ??= random(32);
    Object.assign(this.kept, { name: this.name.value, email: this.email.value });
    this.kept.pending.push({ key: random(16), text });
    this.keep();
    this.line.value = "";
    this.flush();
  }

  /** Sends what waits, in order; a line sent twice has one key, so it is one. */
  async flush() {
    this.drawPending();
    if (this.flushing) return;
    this.flushing = true;
    for (let wait = 1000, next; (next = this.kept.pending[0]); ) {
      const { name, email } = this.kept;
      const answer = await this.ask("lines/", { ...next, name, email, vouch: this.vouch, page: location.origin + location.pathname });
      if (!answer || answer.status >= 500) {
        this.tell(this.words.offline, true);
        await sleep(wait * (0.5 + Math.random()));
        wait = Math.min(wait * 2, LONGEST_MS);
        continue;
      }
      this.kept.pending.shift();
      this.kept.begun ||= answer.ok;
      this.keep();
      if (answer.ok) this.draw(await answer.json());
      else {
        this.line.value = [next.text, this.line.value].filter(Boolean).join("\n");
        this.tell(answer.status === 429 ? this.words.slow : this.words.failed, true);
        break;
      }
    }
    this.flushing = false;
    this.drawPending();
    this.listen();
  }

  async catchUp() {
    const answer = await this.ask(`lines/?after=${this.newest}`);
    if (answer?.ok) this.draw(await answer.json());
    else if (answer?.status === 404 && !this.kept.pending.length) this.forget();
  }

  draw(now) {
    for (const line of now.lines) {
      if (this.shown.has(line.id)) continue;
      const node = this.bubble(line);
      this.shown.set(line.id, node);
      this.log.append(node);
      this.newest = Math.max(this.newest, line.id);
      if (line.ours && this.panel.hidden) this.unread += 1;
    }
    this.drawPending();
    this.refresh(now);
    this.scroll();
    this.acknowledge();
  }

  bubble({ text, ours, name, at }, more = ours ? "ours" : "") {
    const time = at && make("time", { dateTime: at }, new Date(at).toLocaleTimeString([], { timeStyle: "short" }));
    return make("div", { className: `line ${more}` }, make("div", { className: "who" }, ours ? name : this.words.you, time),
      make("div", { className: "text" }, ...linked(text)));
  }

  drawPending() {
    this.log.querySelectorAll(".pending").forEach((node) => node.remove());
    for (const line of this.kept.pending) this.log.append(this.bubble(line, "pending"));
    this.scroll();
  }

  scroll() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  acknowledge() {
    const looks = !this.panel.hidden && !document.hidden;
    if (looks) this.unread = 0;
    this.count.hidden = !this.unread;
    this.count.textContent = this.unread;
    this.launch.ariaLabel = this.unread ? `${this.words.open}, ${this.unread} ${this.words.unread}` : this.words.open;
    if (!looks || this.acked >= this.newest) return;
    this.acked = this.newest;
    this.sign({ seen: this.newest });
  }

  sign(words) {
    if (this.kept.begun) this.ask("life/", words, { keepalive: true });
  }

  type() {
    const now = Date.now(), typing = !!this.line.value;
    if (typing && now - (this.typedAt ?? 0) < TYPING_MS) return;
    this.typedAt = typing ? now : 0;
    this.sign({ typing });
  }

  /** A hidden page listens a while longer, then counts as gone. */
  lookAway() {
    clearTimeout(this.away);
    if (document.hidden) this.away = setTimeout(() => this.stop?.abort(), HIDDEN_MS);
    else { this.listen(); this.acknowledge(); }
  }

  /** Reads the stream of "something is new"; without one it asks every few seconds. */
  async listen() {
    if (this.listening || !this.kept.begun) return;
    this.listening = true;
    for (let wait = 1000; this.kept.begun && !(document.hidden && this.stop?.signal.aborted); ) {
      await this.catchUp();
      this.stop = new AbortController();
      const began = Date.now();
      const answer = await this.ask(this.stream, null, { signal: this.stop.signal });
      if (answer?.ok && answer.body) await this.follow(answer.body.getReader()).catch(() => {});
      else this.sign({ seen: this.acked });
      wait = Date.now() - began > POLL_MS ? 1000 : Math.min(wait * 2, LONGEST_MS);
      if (!this.stop.signal.aborted) await sleep(answer?.ok ? wait * Math.random() : Math.max(wait, POLL_MS));
    }
    this.listening = false;
  }

  async follow(reader) {
    const decoder = new TextDecoder();
    for (let read; !(read = await reader.read()).done; ) if (decoder.decode(read.value).includes("data:")) await this.catchUp();
  }

  forget() {
    this.sign({ left: true });
    this.stop?.abort();
    this.kept = { pending: [] };
    this.keep();
  }

  startAnew() {
    const { name, email } = this.kept;
    this.forget();
    Object.assign(this.kept, { name, email, open: true });
    this.shown.forEach((node) => node.remove());
    this.shown.clear();
    this.newest = this.acked = 0;
    this.state = "";
    this.refresh();
    (this.person.hidden ? this.line : this.name).focus();
  }
}

const start = async () => {
  const { key, mine } = script.dataset;
  if (key) return new Chat({ key }).begin();
  const answer = await fetch(mine);
  if (answer.status === 200) await new Chat(await answer.json()).begin();
};
start().catch(() => {});
})();
