// Runs before the first paint, so that no page flashes in the wrong theme or density.
for (const setting of ["theme", "density"]) {
  const choice = localStorage.getItem(`tierdesk:${setting}`);
  if (choice && choice !== "auto") document.documentElement.dataset[setting] = choice;
}
