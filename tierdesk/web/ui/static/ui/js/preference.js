// One choice of how pages look, kept on this device and written on <html> as data-theme or data-density.

export class Preference {
  constructor(setting, fallback) {
    this.setting = setting;
    this.fallback = fallback;
  }

  get choice() {
    return localStorage.getItem(`tierdesk:${this.setting}`) ?? this.fallback;
  }

  choose(choice) {
    localStorage.setItem(`tierdesk:${this.setting}`, choice);
    if (choice === "auto") delete document.documentElement.dataset[this.setting];
    else document.documentElement.dataset[this.setting] = choice;
    document.dispatchEvent(new CustomEvent("preference", { detail: { setting: this.setting, choice } }));
  }

  /** Ties the [data-choice] buttons inside `element` to this preference. */
  offerIn(element) {
    const show = () => {
      for (const button of element.querySelectorAll("[data-choice]")) {
        button.setAttribute("aria-pressed", String(button.dataset.choice === this.choice));
      }
    };
    element.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-choice]");
      if (!button) return;
      this.choose(button.dataset.choice);
      show();
    });
    show();
  }
}
