// The report's filter, and what a printer needs open. All of the page can be read without it.
"use strict";
(() => {
  const form = document.querySelector(".filter");
  const pairs = [...document.querySelectorAll(".pair")];
  if (form) {
    const texts = new Map();
    const textOf = (pair) => {
      if (!texts.has(pair)) texts.set(pair, pair.textContent.toLowerCase());
      return texts.get(pair);
    };
    const field = (name) => form.elements.namedItem(name).value;
    const inside = (gap, least, most) => {
      if (least === "" && most === "") return true;
      if (gap === "") return false;
      return (least === "" || Number(gap) >= Number(least)) && (most === "" || Number(gap) <= Number(most));
    };
    const filter = () => {
      const words = field("words").toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const pair of pairs) {
        const { family, arms, gap, kind } = pair.dataset;
        const fits =
          (!field("kind") || kind === field("kind")) &&
          (!field("family") || family === field("family")) &&
          (!field("arm") || arms.split("\n").includes(field("arm"))) &&
          inside(gap, field("least"), field("most")) &&
          words.every((word) => textOf(pair).includes(word));
        pair.hidden = !fits;
        shown += fits;
      }
      form.querySelector("output").value = `${shown} of ${pairs.length} shown`;
    };
    const openAll = (open) => {
      for (const pair of pairs) if (!pair.hidden) pair.querySelector("details").open = open;
    };
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    form.querySelector(".open").addEventListener("click", () => openAll(true));
    form.querySelector(".close").addEventListener("click", () => openAll(false));
    filter();
  }
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
})();
