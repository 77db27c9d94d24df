{
  const get = (name) => document.getElementById(`et-${name}`);
  const { file, header, rows, classes, keys, storage } = JSON.parse(get("round").textContent);
  const OPEN = -2;
  const SKIPPED = -1; // else the number of a class
  const buttons = [...get("classes").querySelectorAll("button")];
  const filter = get("filter"); // where there are more classes than keys
  const changes = [];
  let labels, at, marked;
  let kept = true;

  const load = () => {
    let found = null;
    try {
      found = JSON.parse(localStorage.getItem(storage));
    } catch {
      kept = false;
    }
    const known = (label) => Number.isInteger(label) && label >= OPEN && label < classes.length;
    labels = rows.map((_, i) => (Array.isArray(found) && known(found[i]) ? found[i] : OPEN));
  };
  const keep = () => {
    try {
      localStorage.setItem(storage, JSON.stringify(labels));
    } catch {
      kept = false;
    }
  };
  const count = (is) => labels.filter(is).length;

  const show = (said = "") => {
    const open = count((label) => label === OPEN);
    const skipped = count((label) => label === SKIPPED);
    get("at").textContent = `Text ${at + 1} of ${rows.length}`;
    get("about").textContent = rows[at].about;
    if (get("text").textContent !== rows[at].text) {
      get("text").textContent = rows[at].text;
      get("text").scrollTop = 0;
    }
    get("text").tabIndex = get("text").scrollHeight > get("text").clientHeight ? 0 : -1;
    get("done").value = rows.length - open;
    get("count").textContent = `${rows.length - open - skipped} labelled, ${skipped} skipped, ${open} to go`;
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", labels[at] === i));
    get("skip").setAttribute("aria-pressed", labels[at] === SKIPPED);
    get("back").disabled = at === 0;
    get("on").disabled = at === rows.length - 1;
    get("undo").disabled = !changes.length;
    get("kept").textContent = kept
      ? "This browser keeps what you did."
      : "This browser keeps nothing of what you did: save before you close the page.";
    get("said").textContent = said;
  };
  const go = (to, said) => {
    at = Math.min(Math.max(to, 0), rows.length - 1);
    show(said);
  };
  const give = (label) => {
    changes.push([at, labels[at]]);
    labels[at] = label;
    keep();
    narrow("");
    const said = label === SKIPPED ? "Skipped." : `Labelled ${classes[label].name}.`;
    const after = labels.indexOf(OPEN, at);
    const next = after < 0 ? labels.indexOf(OPEN) : after;
    if (next < 0) go(at + 1, `${said} All texts are done: save the csv.`);
    else go(next, said);
  };
  const undo = () => {
    if (!changes.length) return;
    const [where, label] = changes.pop();
    labels[where] = label;
    keep();
    go(where, "Undone.");
  };
  const save = () => {
    const table = rows.map(({ cells }, i) => [...cells, labels[i] < 0 ? "" : classes[labels[i]].cell]);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv([header, ...table])], { type: "text/csv" }));
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000); // slow disks
    show(`Saved ${count((label) => label >= 0)} labels as ${file}, where this browser puts downloads.`);
  };

  const shown = () => buttons.filter((button) => !button.hidden);
  const mark = (button) => {
    marked?.classList.remove("et-marked");
    marked = button;
    marked?.classList.add("et-marked");
    marked?.scrollIntoView({ block: "nearest" });
  };
  const narrow = (text) => {
    if (!filter) return;
    filter.value = text;
    const words = text.toLowerCase().split(/\s+/);
    const fits = ({ name }) => words.every((word) => name.toLowerCase().includes(word));
    buttons.forEach((button, i) => (button.hidden = !fits(classes[i])));
    mark(text.trim() ? shown()[0] : undefined);
    if (!text.trim()) return;
    const n = shown().length;
    get("said").textContent = n ? `${n} fit; Enter: ${classes[buttons.indexOf(marked)].name}` : "None fits.";
  };
  const step = (by) => {
    const some = shown();
    mark(some[(some.indexOf(marked) + by + some.length) % some.length]);
    if (marked) get("said").textContent = `Enter: ${classes[buttons.indexOf(marked)].name}`;
  };

  const moves = { ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1), Backspace: undo };
  const type = (event) => {
    const { key, target } = event;
    const typed = filter.value !== "";
    if (target !== filter && (key === "Enter" || key === " " || key === "Tab")) return; // a button's own
    if (!typed && key in moves) moves[key]();
    else if (!typed && key === " " && !event.repeat) give(SKIPPED);
    else if (key === "Enter" && marked && !event.repeat) give(buttons.indexOf(marked));
    else if (key === "ArrowDown") step(1);
    else if (key === "ArrowUp") step(-1);
    else if (key === "Escape") narrow("");
    else {
      if (key.length === 1) filter.focus();
      return;
    }
    event.preventDefault();
  };
  const press = (event) => {
    const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code); // also where digits take Shift
    const key = digit ? digit[1] : event.key;
    const label = key === "0" ? SKIPPED : keys.indexOf(key.toLowerCase());
    if (key in moves) moves[key]();
    else if (key.length === 1 && label < classes.length && (key === "0" || label >= 0)) {
      if (!event.repeat) give(label);
    } else return;
    event.preventDefault();
  };
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      save();
    } else if (!(event.ctrlKey || event.metaKey || event.altKey || event.isComposing)) {
      (filter ? type : press)(event);
    }
  });
  addEventListener("storage", (event) => {
    if (event.key !== storage) return; // the same page in another window
    load();
    show();
  });
  addEventListener("beforeunload", (event) => {
    if (!kept && changes.length) event.preventDefault();
  });
  filter?.addEventListener("input", () => narrow(filter.value));
  buttons.forEach((button, i) => button.addEventListener("click", () => give(i)));
  get("skip").addEventListener("click", () => give(SKIPPED));
  get("back").addEventListener("click", moves.ArrowLeft);
  get("on").addEventListener("click", moves.ArrowRight);
  get("undo").addEventListener("click", undo);
  get("save").addEventListener("click", save);
  load();
  go(Math.max(labels.indexOf(OPEN), 0));
  filter?.focus();
}
