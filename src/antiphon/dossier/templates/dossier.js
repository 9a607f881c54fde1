// What a script adds to a page that is whole without it: charts that answer, a filter, pictures that show when asked for.
(() => {
  "use strict";
  const all = (query, root = document) => [...root.querySelectorAll(query)];

  // Pictures: each one by an act of its own; pressing again hides it.
  for (const button of all(".reveal")) {
    const figure = button.closest(".picture");
    const shade = figure.querySelector("img");
    shade.classList.add("shade");
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      let clear = figure.querySelector(".clear");
      if (open && !clear) {
        clear = new Image();
        clear.src = shade.dataset.clear;
        clear.width = shade.width; clear.height = shade.height;
        clear.alt = "Image of this material, shown on request";
        clear.className = "clear";
        shade.after(clear);
      }
      if (!open && clear) clear.remove();
      figure.classList.toggle("open", open);
      button.setAttribute("aria-pressed", String(open));
    });
  }

  // Filter of the materials to review.
  const form = document.getElementById("filter");
  if (form) {
    const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    const cards = all("#review-cards > .card").map((card) => ({ card, words: fold(card.textContent) }));
    const words = document.getElementById("words");
    const choices = all("select", form);
    const apply = () => {
      const sought = fold(words.value).split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const entry of cards) {
        const fits = choices.every((choice) => !choice.value || entry.card.dataset[choice.dataset.by] === choice.value)
          && sought.every((word) => entry.words.includes(word));
        entry.card.hidden = !fits;
        shown += fits ? 1 : 0;
      }
      document.getElementById("filtered").textContent = shown === cards.length ? "" : `${shown} of ${cards.length} shown`;
    };
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  // Charts. The still picture stays for paper and for the case that a chart can't be drawn.
  const block = document.getElementById("specs");
  if (!block || !window.vegaEmbed) return;
  const specs = JSON.parse(block.textContent);
  const made = 840;

  // Views keep their proportions of the width that they were made for, and legends fold, where the screen is narrow.
  const fit = (spec, room) => {
    if (spec && typeof spec === "object") {
      for (const key of Object.keys(spec)) {
        if (key === "width" && typeof spec[key] === "number") spec[key] = Math.round(spec[key] * Math.min(1, room / made));
        else if (key === "columns" && room < made / 2) spec[key] = 2;
        else if (key !== "datasets" && key !== "data") fit(spec[key], room);
      }
    }
    return spec;
  };

  // Arrow keys step through the values of a chart; each is named below it.
  const step = (live, output) => {
    let at = -1;
    const marks = () => all('[role="graphics-symbol"][aria-label]', live)
      .filter((mark) => !["axis", "legend", "title"].includes(mark.getAttribute("aria-roledescription")) && !mark.closest(".role-axis, .role-legend, .role-title"));
    live.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const found = marks();
      if (!by || !found.length) return;
      event.preventDefault();
      found.forEach((mark) => mark.classList.remove("at"));
      at = Math.min(Math.max(at + by, 0), found.length - 1);
      found[at].classList.add("at");
      output.textContent = `${at + 1} of ${found.length}: ${found[at].getAttribute("aria-label")}`;
    });
  };

  const draw = async (live) => {
    const figure = live.closest(".chart");
    live.hidden = false;
    try {
      const room = Math.max(200, live.clientWidth - 80);
      await window.vegaEmbed(live, fit(specs[live.dataset.chart], room), {
        actions: false, ast: true, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true },
      });
      figure.classList.add("on");
      figure.querySelector(".reading-out").hidden = false;
      figure.querySelector(".hint").hidden = false;
      all("svg", live).forEach((svg) => svg.setAttribute("aria-hidden", "true"));
      step(live, figure.querySelector("output"));
    } catch (error) {
      live.hidden = true;
      console.error("chart", live.dataset.chart, error);
    }
  };
  all("[data-chart]").forEach(draw);
})();
