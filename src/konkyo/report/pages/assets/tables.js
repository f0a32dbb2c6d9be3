"use strict";
// Tables that sort by a click on a column's head: numbers by data-value where a cell has one.
konkyo.sortable = (table) => {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const key = (row, column) => {
    const cell = row.cells[column], given = cell.dataset.value;
    if (given === undefined) return cell.innerText.trim();
    return given === "" || Number.isNaN(Number(given)) ? null : Number(given);
  };
  function sort(column, descending) {
    const rows = [...table.tBodies[0].rows].map((row) => [key(row, column), row]);
    // Empty cells stay last whichever way the others go.
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), konkyo.language());
      return descending ? -order : order;
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }
  heads.forEach((head, column) => {
    const button = konkyo.el("button", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    const first = head.dataset.first !== "ascending" && head.classList.contains("number");
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      sort(column, now ? now === "ascending" : first);
    });
  });
};
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.sortable")) konkyo.sortable(table);
});
