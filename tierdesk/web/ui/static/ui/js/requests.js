// What every htmx request carries, and what the reader is told when one fails.

const token = () => document.querySelector('meta[name="csrf-token"]')?.content;

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb !== "get" && token()) detail.headers["X-CSRFToken"] = token();
});

// Whoever types faster than the page gets ready, or comes back to it, has words in a field that nobody listened to.
document.addEventListener("htmx:afterProcessNode", ({ target }) => {
  if (target.matches("input[hx-get]") && target.value !== target.defaultValue) target.dispatchEvent(new CustomEvent("early"));
});

for (const [failure, reason] of [["htmx:responseError", "trouble"], ["htmx:sendError", "offline"]]) {
  document.addEventListener(failure, ({ target }) => {
    const text = document.querySelector("toast-region")?.dataset[reason];
    if (text) target.dispatchEvent(new CustomEvent("toast", { bubbles: true, detail: { text, tone: "danger" } }));
  });
}
