/** Fills its form with a subscription of this browser and sends it: `data-key` is the desk's, `data-worker` our worker. */
class PushHere extends HTMLElement {
  #submit = async (event) => {
    if (this.#filled) return;
    event.preventDefault();
    try {
      this.#fill(await this.#subscribed());
    } catch (refusal) {
      this.#say(refusal.name === "NotAllowedError" ? this.dataset.denied : this.dataset.failed);
      return;
    }
    event.target.requestSubmit();
  };

  connectedCallback() {
    this.toggleAttribute("data-able", "serviceWorker" in navigator && "PushManager" in window);
    this.addEventListener("submit", this.#submit, { capture: true });
  }

  disconnectedCallback() {
    this.removeEventListener("submit", this.#submit, { capture: true });
  }

  get #filled() {
    return this.querySelector("[name=address]").value !== "";
  }

  async #subscribed() {
    if ((await Notification.requestPermission()) !== "granted") throw new DOMException("", "NotAllowedError");
    const worker = await navigator.serviceWorker.register(this.dataset.worker);
    await this.#active(worker);
    await (await worker.pushManager.getSubscription())?.unsubscribe();
    return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: this.dataset.key });
  }

  /** A subscription needs a worker that is at work; `ready` is only for one whose scope holds this page. */
  async #active(worker) {
    const coming = worker.installing ?? worker.waiting;
    if (worker.active || !coming) return;
    await new Promise((resolve) => {
      coming.addEventListener("statechange", () => worker.active && resolve());
    });
  }

  #fill(subscription) {
    const { endpoint, keys } = subscription.toJSON();
    this.querySelector("[name=address]").value = endpoint;
    this.querySelector("[name=p256dh]").value = keys.p256dh;
    this.querySelector("[name=auth]").value = keys.auth;
  }

  #say(words) {
    this.querySelector("[role=status]").textContent = words;
  }
}

customElements.define("push-here", PushHere);
