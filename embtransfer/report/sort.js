for (const table of document.querySelectorAll(".et table[data-sortable]:not([data-ready])")) {
  table.dataset.ready = "";
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const number = head.classList.contains("et-n");
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const order = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === "" || y === "") return (x === "") - (y === ""); // what is missing stays last
        return (number ? x - y : x.localeCompare(y)) * (down ? -1 : 1);
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
    });
  });
}
{
  const boxes = document.querySelectorAll(".et .et-scroll, .et .et-charts, .et pre");
  const mark = () => boxes.forEach((box) => (box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1));
  addEventListener("resize", mark); // only what scrolls is a stop of the Tab key
  mark();
}
addEventListener("beforeprint", () => document.querySelectorAll(".et details").forEach((one) => (one.open = true)));
