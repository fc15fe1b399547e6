const LIBRARY = "../../vendor/chart.umd.min.js";
const SERIES = 6;
let library;

/**
 * Draws the table whose id is in data-table: its first column names the points, every other is a series.
 * data-kind: bar | stacked | line; data-unit is written on the axis. Colours come from the tokens and are read anew
 * when the theme changes; a column's data-series-tone (danger, say) is for what must not look like any other. If the
 * library cannot be had, the table remains.
 */
class DataChart extends HTMLElement {
  #chart;
  #dark = matchMedia("(prefers-color-scheme: dark)");
  #redraw = () => this.#draw();

  async connectedCallback() {
    document.addEventListener("preference", this.#redraw);
    this.#dark.addEventListener("change", this.#redraw);
    try {
      await (library ??= import(LIBRARY));
      this.#draw();
    } catch (trouble) {
      this.dataset.failed = "";
      console.error("The chart could not be drawn; its table follows.", trouble);
    }
  }

  disconnectedCallback() {
    document.removeEventListener("preference", this.#redraw);
    this.#dark.removeEventListener("change", this.#redraw);
    this.#chart?.destroy();
  }

  #draw() {
    this.#chart?.destroy();
    const { kind, unit } = this.dataset;
    const [names, series] = this.#read();
    const [ink, line] = [this.#colour("--ink-soft"), this.#colour("--line")];
    globalThis.Chart.defaults.font.family = getComputedStyle(this).fontFamily;
    const axis = { grid: { color: line }, border: { display: false }, ticks: { color: ink }, stacked: kind === "stacked" };
    this.#chart = new globalThis.Chart(this.querySelector("canvas"), {
      type: kind === "line" ? "line" : "bar",
      data: { labels: names, datasets: series.map((one, index) => this.#dress(one, index, kind)) },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        layout: { padding: { right: 8 } },
        scales: { x: { ...axis, grid: { display: false } }, y: { ...axis, beginAtZero: true, title: { display: Boolean(unit), text: unit, color: ink } } },
        plugins: { legend: { display: series.length > 1, align: "start", labels: { color: ink, boxWidth: 10, boxHeight: 10, usePointStyle: kind === "line", pointStyle: "line" } } },
      },
    });
  }

  /** Numbers may carry units or separators for people; a cell's data-value, where given, is the plain number. */
  #read() {
    const table = document.getElementById(this.dataset.table);
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const rows = [...table.tBodies[0].rows];
    const number = (cell) => Number.parseFloat(cell.dataset.value ?? cell.textContent.replace(/[^\d.-]/g, ""));
    const series = heads.map((head, column) => ({ label: head.textContent.trim(), tone: head.dataset.seriesTone, data: rows.map((row) => number(row.cells[column + 1])) }));
    return [rows.map((row) => row.cells[0].textContent.trim()), series];
  }

  #dress(series, index, kind) {
    const colour = this.#colour(series.tone ? `--${series.tone}-solid` : `--series-${(index % SERIES) + 1}`);
    const dash = kind === "line" && index % 2 ? [6, 4] : [];
    return { ...series, backgroundColor: colour, borderColor: colour, borderDash: dash, borderWidth: kind === "line" ? 2 : 0, borderRadius: 3, maxBarThickness: 36, pointRadius: 2, tension: 0.25 };
  }

  /** A token resolved for the theme in force: custom properties themselves keep both faces of light-dark(). */
  #colour(token) {
    this.style.color = `var(${token})`;
    const colour = getComputedStyle(this).color;
    this.style.removeProperty("color");
    return colour;
  }
}

customElements.define("data-chart", DataChart);
