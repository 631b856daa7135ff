// The review page's whole script: keys and buttons to requests, and what comes back onto the page.
// What is shown and stored is decided by the server; here is kept what is being written, until it was sent.
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const [main, note, editor, edited] = [at("pair"), at("note"), at("editor"), at("edited")];
  const home = editor.parentElement;
  const page = { turn: null, mode: "judge", side: 0, busy: false, unsent: null, view: "read" };
  const LEAST = Number(document.body.dataset.least);

  // --- what outlives a reload -----------------------------------------------------------------------
  const kept = {
    get(name) { try { return JSON.parse(sessionStorage.getItem(name)); } catch { return null; } },
    set(name, value) {
      try {
        if (value === null) sessionStorage.removeItem(name);
        else sessionStorage.setItem(name, JSON.stringify(value));
      } catch { /* no room, or not allowed: then a reload forgets it */ }
    },
  };
  let tab = kept.get("tab");
  if (!tab) kept.set("tab", tab = crypto.randomUUID());
  let reviewer = at("who").value;
  const draftName = () => `draft ${reviewer} ${page.turn.key}`;
  const keepDraft = () => {
    if (!page.turn || !page.turn.key) return;
    const open = page.mode === "edit" ? { better: page.side, text: edited.value } : null;
    const before = kept.get(draftName());
    const edit = open || (before && before.edit);
    kept.set(draftName(), note.value || edit ? { note: note.value, edit, open: Boolean(open) } : null);
  };

  // --- saying ---------------------------------------------------------------------------------------
  const say = (sentence) => { at("said").textContent = sentence; };
  const calm = () => { at("trouble").hidden = true; };
  const trouble = (sentence, again) => {
    at("trouble-said").textContent = sentence;
    at("again").hidden = !again;
    at("trouble").hidden = false;
    if (again) at("again").focus();
  };
  const capital = (sentence) => sentence.charAt(0).toUpperCase() + sentence.slice(1);
  const pressed = (button, wanted) => document.querySelector(`[data-act=${button}]`).setAttribute("aria-pressed", wanted);
  const count = (turn) => `${turn.done} of ${turn.total}`;

  // --- showing --------------------------------------------------------------------------------------
  const show = (turn) => {
    leaveMode();
    page.turn = turn;
    main.innerHTML = turn.html;
    view(page.view);
    at("bar").max = turn.total || 1;
    at("bar").value = turn.done;
    at("count").textContent = count(turn);
    at("verdicts").textContent = turn.verdicts < LEAST ? `(${turn.verdicts} of ${LEAST} verdicts)` : "";
    document.title = turn.key ? `Review: ${count(turn)}` : "Review: all done";
    kept.set("key", turn.key);
    const draft = (turn.key && kept.get(draftName())) || {};
    note.value = draft.note || turn.note || "";
    document.querySelector(".note").hidden = !turn.key;
    for (const button of document.querySelectorAll("[data-act]"))
      button.disabled = !turn.key && !"u?r".includes(button.dataset.act);
    if (!at("agreement").open || turn.key) scrollTo(0, 0);
    if (at("agreement").open) agreement();
    const edit = draft.open ? draft.edit : turn.edit;
    if (edit) openEditor(edit.better, edit.text);
    else if (!document.activeElement.closest(".bar, .top") || document.activeElement.disabled)
      at("prompt-title").focus({ preventScroll: true });
    if (turn.note || turn.edit) keepDraft();
  };
  // "read": as Markdown; "written": as it was written; "differ": the same with differences marked, of the answers.
  const view = (wanted) => {
    page.view = wanted;
    for (const text of main.querySelectorAll(".read")) {
      const [written, differ] = [text.parentElement.querySelector(".written"), text.parentElement.querySelector(".differ")];
      const marked = wanted === "differ" && differ !== null;
      text.hidden = wanted === "written" || marked;
      written.hidden = wanted !== "written";
      if (differ) differ.hidden = !marked;
    }
    pressed("r", wanted === "written");
    pressed("d", wanted === "differ");
  };
  const differ = () => {
    if (page.view === "differ") { view("read"); say("Texts as Markdown."); return; }
    if (!main.querySelector(".differ")) { say("Nothing to mark: these two have too little in common, or are too long."); return; }
    view("differ");
    say("What the other one has not is marked.");
  };
  const agreement = async () => {
    try {
      const answer = await fetch(`agreement?reviewer=${encodeURIComponent(reviewer)}`, { cache: "no-store" });
      at("agreed").innerHTML = answer.ok ? await answer.text() : "<p>The server has no answer to this.</p>";
    } catch { at("agreed").textContent = "The server does not answer."; }
  };

  // --- asking ---------------------------------------------------------------------------------------
  const ask = async (path, body) => {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ reviewer, tab, ...body }),
    });
    let said = {};
    try { said = await answer.json(); } catch { said.error = `the server refuses (${answer.status})`; }
    return { status: answer.status, ...said };
  };
  // One thing at a time. `told`: what is said once it is done; `what`: of a verdict, which is kept until it was sent.
  const act = async (path, body, told, what = "") => {
    if (page.busy) return;
    if (page.unsent && page.unsent.what && page.unsent.body !== body) { trouble("A verdict has not been sent yet.", true); return; }
    page.busy = true;
    main.setAttribute("aria-busy", "true");
    try {
      const turn = await ask(path, body);
      if (turn.status === 403) throw new Error("the server has been started anew: open the address that pairsmith review has printed last");
      if (turn.status >= 500) throw new Error(turn.error);
      unsent(null);
      calm();
      if (turn.status === 200 || turn.key !== undefined) {
        if (path === "verdict") kept.set(`draft ${reviewer} ${body.key}`, null);
        if (turn.reviewer) reviewer = turn.reviewer;
        show(turn);
      }
      say(turn.error ? `${capital(turn.error)}.` : told(turn));
    } catch (error) {
      unsent({ path, body, what });
      const why = error instanceof TypeError ? "The server does not answer" : capital(error.message);
      trouble(`${why}. ${what ? `Your verdict (${what}) is kept here, and not stored yet.` : "Nothing is lost."}`, true);
    } finally {
      page.busy = false;
      main.removeAttribute("aria-busy");
    }
  };
  const unsent = (what) => {
    page.unsent = what;
    if (!what || what.what) kept.set("unsent", what && { ...what, reviewer });
  };
  const sendAgain = () => {
    const { path, body, what } = page.unsent;
    return act(path, body, (turn) => (what ? `Stored: ${what}. ${count(turn)}.` : count(turn)), what);
  };

  // --- verdicts -------------------------------------------------------------------------------------
  const judge = (said, better, what, text) => {
    if (!page.turn || !page.turn.key) { say("There is no pair left to judge."); return; }
    const body = { key: page.turn.key, known: page.turn.known, said, better, note: note.value };
    if (text !== undefined) body.edited = text;
    const before = page.turn.verdicts;
    return act("verdict", body, (turn) => {
      const news = before < LEAST && turn.verdicts >= LEAST ? " There is news below: how judges and people agree." : "";
      return `Stored: ${what}. ${count(turn)}.${news}`;
    }, what);
  };
  const prefer = (side) => {
    if (page.mode === "choose") openEditor(side);
    else return judge("preferred", side, `${side} is better`);
  };

  // --- editing --------------------------------------------------------------------------------------
  const labels = (...words) => ["1", "2"].forEach((side, place) => {
    document.querySelector(`[data-act="${side}"] [data-label]`).textContent = words[place];
  });
  const choose = () => {
    if (page.mode === "choose") { leaveMode(); say("No edit."); return; }
    if (page.mode === "edit") { edited.focus(); return; }
    page.mode = "choose";
    pressed("e", true);
    labels("Edit 1", "Edit 2");
    say("Which one is better? Press 1 or 2 to edit it; Esc leaves.");
  };
  const original = (side) => page.turn.texts[side - 1].replace(/\r\n?/g, "\n");
  const openEditor = (side, text) => {
    const draft = kept.get(draftName());
    const article = main.querySelector(`[data-side="${side}"]`);
    labels("1 is better", "2 is better");
    [page.mode, page.side] = ["edit", side];
    pressed("e", true);
    at("edited-label").textContent = `Your better version of answer ${side}`;
    edited.value = text !== undefined ? text : draft && draft.edit && draft.edit.better === side ? draft.edit.text : original(side);
    article.classList.add("editing");
    article.append(editor);
    editor.hidden = false;
    edited.focus();
    edited.setSelectionRange(0, 0);
    edited.scrollTop = 0;
    editor.scrollIntoView({ block: "nearest" });
    say(`Editing answer ${side}. Ctrl+Enter saves, Esc leaves.`);
  };
  const leaveMode = () => {
    if (page.mode === "edit") {
      for (const article of main.querySelectorAll(".editing")) article.classList.remove("editing");
      editor.hidden = true;
      home.append(editor);
    }
    page.mode = "judge";
    pressed("e", false);
    labels("1 is better", "2 is better");
  };
  const leave = () => {
    const writing = page.mode === "edit";
    keepDraft();
    leaveMode();
    if (writing) keepDraft();
    if (at("prompt-title")) at("prompt-title").focus({ preventScroll: true });
    say(writing ? "Not saved; your text is kept until you judge this pair." : "No edit.");
  };
  const save = () => {
    if (page.mode !== "edit") return;
    if (!edited.value.trim()) say("An empty answer cannot be saved. Esc leaves.");
    else if (edited.value === original(page.side)) say(`Nothing was changed. Change it, or leave by Esc and press ${page.side}.`);
    else return judge("edit", page.side, `your edit of ${page.side} is better`, edited.value);
  };

  // --- keys and buttons -----------------------------------------------------------------------------
  const ACTS = {
    1: () => prefer(1),
    2: () => prefer(2),
    0: () => judge("tie", 0, "a tie"),
    x: () => judge("bad_prompt", 0, "a bad prompt"),
    e: choose,
    n: () => { if (page.turn && page.turn.key) { keepDraft(); return act("skip", { key: page.turn.key }, (turn) => `Put at the end. ${count(turn)}.`); } },
    u: () => act("undo", {}, (turn) => `Taken back. ${count(turn)}.`),
    c: () => note.focus(),
    r: () => { view(page.view === "written" ? "read" : "written"); say(page.view === "read" ? "Texts as Markdown." : "Texts as they were written."); },
    d: differ,
    "?": () => (at("help").open ? at("help").close() : at("help").showModal()),
  };
  const ANYWAY = "cerd?"; // what does not decide anything, also while an edit is open
  const perform = (name) => {
    if (page.mode === "edit" && !ANYWAY.includes(name)) { say("An edit is open. Ctrl+Enter saves it, Esc leaves."); return; }
    if (page.mode === "choose" && "0xnu".includes(name)) leaveMode();
    if (!page.turn && name !== "?") return;
    return ACTS[name]();
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, input:not([type=checkbox])");
    if (event.isComposing || at("help").open) return;
    if (typing) {
      if (event.key === "Enter" && event.ctrlKey && event.target === edited) { event.preventDefault(); save(); }
      if (event.key === "Escape") { if (event.target === edited) leave(); else event.target.blur(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.key === "Escape" && page.mode !== "judge") { leave(); return; }
    const name = event.key.toLowerCase();
    if (!at("keys-act").checked || !Object.hasOwn(ACTS, name)) return;
    event.preventDefault();
    perform(name);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button && !button.disabled) perform(button.dataset.act);
  });
  at("save").addEventListener("click", save);
  at("leave").addEventListener("click", leave);
  at("again").addEventListener("click", sendAgain);
  at("close").addEventListener("click", () => at("help").close());
  at("agreement").addEventListener("toggle", () => { if (at("agreement").open) agreement(); });
  at("keys-act").checked = kept.get("keys") !== false;
  at("keys-act").addEventListener("change", () => kept.set("keys", at("keys-act").checked));
  note.addEventListener("input", keepDraft);
  edited.addEventListener("input", keepDraft);
  at("who").addEventListener("change", async () => {
    const before = reviewer;
    keepDraft();
    reviewer = at("who").value;
    await act("next", {}, (turn) => `Reviewing as ${turn.reviewer}. ${count(turn)}.`);
    if (!page.turn || page.turn.reviewer !== reviewer) reviewer = before;
    at("who").value = reviewer;
    history.replaceState(null, "", `?reviewer=${encodeURIComponent(reviewer)}`);
  });

  // --- the beginning --------------------------------------------------------------------------------
  at("app").hidden = false;
  const left = kept.get("unsent");
  act("next", { key: kept.get("key") || "" }, count).then(() => {
    if (left && left.reviewer === reviewer && !page.unsent) {
      unsent(left);
      trouble(`A verdict has not been sent yet: ${left.what}.`, true);
    }
  });
})();
