// flowlite UI glue: everything else is HTML. No inline handlers, no eval, no dependencies beyond htmx.
(() => {
  "use strict";
  const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];
  const on = (e, f, o) => document.addEventListener(e, f, o);

  // toasts leave after 7 s unless pointed at
  const toastify = (t) => {
    if (t.dataset.armed) return; t.dataset.armed = 1;
    let id; const go = () => (id = setTimeout(() => t.remove(), 7000));
    t.addEventListener("pointerenter", () => clearTimeout(id)); t.addEventListener("pointerleave", go); go();
  };
  new MutationObserver(() => $$("#toasts [data-toast]").forEach(toastify)).observe($("#toasts"), { childList: true });
  $$("#toasts [data-toast]").forEach(toastify);
  const tell = (id) => $("#toasts").appendChild($(id).content.firstElementChild.cloneNode(true));

  // A notice stays at the head of the page: the server is away, what the page
  // shows was deleted, or the password has changed. The last two are for good.
  let over = false, failures = 0;
  const notice = (id) => { const n = $("#notice"); if (n.dataset.of !== id) { n.dataset.of = id; n.replaceChildren($(id).content.cloneNode(true)); } };
  const refused = (status) => {
    over = true; notice(status === 401 ? "#denied" : "#gone"); live("off", "Stopped");
    $$("[hx-sse\\:connect]").forEach((el) => el._htmx?.sse?.reader?.cancel()); // an open stream ends
  };
  const away = () => { if (over) return; live("down", "Reconnecting…"); if (++failures > 1) notice("#away"); };
  const back = () => { failures = 0; if (!over) { const n = $("#notice"); n.replaceChildren(); delete n.dataset.of; } };
  const background = (el) => el.matches('[hx-trigger*="every "],[hx-trigger*="from:body"],[hx-sse\\:connect]');
  on("htmx:before:request", (e) => { if (over && background(e.detail.ctx.sourceElement)) e.preventDefault(); });
  on("htmx:after:request", (e) => { const s = e.detail.ctx.response?.status; if (s && s < 400) back(); });
  on("htmx:error", (e) => {
    if (/target/i.test(e.detail.error?.message || "")) return;
    const el = e.detail.ctx?.sourceElement; if (el && background(el)) away(); else tell("#net-error");
  });
  on("htmx:response:error", (e) => {
    const c = e.detail.ctx, s = c.response.status, by = background(c.sourceElement);
    // A proxy whose server is away may say 404, too; only ours has the policy.
    if (s === 401 || s === 404 && by && c.response.raw.headers.get("Content-Security-Policy")) refused(s);
    else if (by && s === 404) away();
    else if (s >= 500 && !/hx-partial/.test(c.text || "")) { if (by) away(); else tell("#net-error"); } // a 5xx without its own toast
  });

  // Copied is what the clipboard has. Pages over plain HTTP have no clipboard but
  // for what is selected; without that, people press the keys.
  const copied = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* the old way */ }
    const was = document.activeElement, t = tell("#copy-error"), area = $("textarea", t);
    area.value = text; area.select();
    let ok = false; try { ok = document.execCommand("copy"); } catch { /* not allowed */ }
    if (ok) { t.remove(); was?.focus({ preventScroll: true }); }
    return ok;
  };
  const copy = async (c) => {
    if (!await copied(c.dataset.copy) || c.classList.contains("ok")) return;
    c.classList.add("ok");
    const u = $("use", c), h = u?.getAttribute("href"), text = c.textContent;
    if (u) u.setAttribute("href", h.replace(/#.*/, "#check")); else c.textContent = "Copied";
    $("#said").textContent = "Copied";
    setTimeout(() => { c.classList.remove("ok"); if (u) u.setAttribute("href", h); else c.textContent = text; $("#said").textContent = ""; }, 1200);
  };

  // clicks: copy, dismiss, palette, close popovers
  on("click", (e) => {
    const c = e.target.closest("[data-copy]");
    if (c) copy(c);
    if (e.target.closest("[data-dismiss]")) e.target.closest("[data-toast]").remove();
    if (e.target.closest("[data-palette]")) { e.preventDefault(); openPalette(); }
    $$("details.pop[open]").forEach((d) => d.contains(e.target) || d.removeAttribute("open"));
  });
  const pal = $("#palette");
  const openPalette = () => { pal.showModal(); const i = $("input", pal); i.select(); i.dispatchEvent(new Event("palette-open")); };
  pal?.addEventListener("click", (e) => e.target === pal && pal.close());
  pal?.addEventListener("keydown", (e) => {
    if (e.key === "Escape") { e.preventDefault(); pal.close(); } // a search field would only clear itself first
    const as = $$("a", pal); if (!as.length) return;
    let i = as.findIndex((a) => a.classList.contains("on"));
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); as[i]?.classList.remove("on"); i = (i + (e.key === "ArrowDown" ? 1 : -1) + as.length) % as.length; as[i].classList.add("on"); as[i].scrollIntoView({ block: "nearest" }); }
    if (e.key === "Enter") { e.preventDefault(); (as[i] || as[0]).click(); }
  });

  // keys: / find, g+letter go, j/k move in the timeline
  const go = { d: "/dashboard", r: "/runs", f: "/flows", w: "/work-pools", p: "/deployments", a: "/automations", e: "/events", v: "/variables", b: "/blocks", t: "/artifacts", c: "/concurrency", s: "/settings" }, base = document.body.dataset.base || "";
  let g = 0;
  on("keydown", (e) => {
    if (e.key === "Escape") $$("details.pop[open]").forEach((d) => { d.removeAttribute("open"); $("summary", d).focus(); });
    if (e.ctrlKey || e.metaKey) { if (e.key === "k") { e.preventDefault(); openPalette(); } return; }
    if (e.altKey || e.target.closest("input,textarea,select,[contenteditable]")) return;
    if (e.key === "/") { e.preventDefault(); openPalette(); }
    else if (e.key === "g") g = Date.now();
    else if (Date.now() - g < 900 && go[e.key]) location.href = base + go[e.key];
    else if (e.key === "j" || e.key === "k" || (e.key === "ArrowDown" || e.key === "ArrowUp") && document.activeElement.closest(".tl-names")) {
      const as = $$(".tl-names a"); if (!as.length) return;
      e.preventDefault(); as[Math.max(0, as.indexOf(document.activeElement) + (e.key === "j" || e.key === "ArrowDown" ? 1 : -1))]?.focus();
    }
  });

  // timeline: hovering or focusing a row lights its bar and edges
  const hot = (row, v) => {
    $$(`.tl [data-row="${row}"]`).forEach((n) => n.classList.toggle("hot", v));
    $$(`.tl .edge[data-f="${row}"],.tl .edge[data-t="${row}"]`).forEach((n) => n.classList.toggle("hot", v));
  };
  for (const [a, v] of [["pointerover", 1], ["pointerout", 0], ["focusin", 1], ["focusout", 0]])
    on(a, (e) => { const r = e.target.closest?.(".tl [data-row]"); if (r) hot(r.dataset.row, !!v); });
  on("click", (e) => { const r = e.target.closest(".rowbg"); if (r) $(`.tl-names a[data-row="${r.dataset.row}"]`).click(); });

  // logs: follow, filter, cap
  const box = $("#logbox"), log = $("#log");
  if (box) {
    const MAX = 2000, fb = $("#tolatest"), fol = $("[data-follow]"); let fresh = 0;
    const bottom = () => box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    const down = () => { box.scrollTop = box.scrollHeight; fresh = 0; fb.classList.remove("on"); };
    down();
    let wasBottom = true;
    box.addEventListener("scroll", () => { wasBottom = bottom(); if (wasBottom) { fresh = 0; fb.classList.remove("on"); } }, { passive: true });
    fb.addEventListener("click", down);
    // Lines that are dropped at the top can be loaded again.
    const trim = () => {
      const e = $("#earlier"); let n = log.children.length - 1 - MAX; if (n <= 0) return;
      while (n--) e.nextElementSibling.remove();
      const before = +$(".ln", log).textContent, a = $("a", e);
      e.hidden = false; $("span", e).textContent = `${(before - 1).toLocaleString("en")} earlier line${before > 2 ? "s" : ""}`;
      for (const k of ["href", "hx-get"]) a.setAttribute(k, a.getAttribute(k).replace(/([?&]before=)\d+/, "$1" + before));
    };
    new MutationObserver((ms) => {
      let n = 0; for (const m of ms) for (const li of m.addedNodes) if (li.nodeType === 1 && !m.nextSibling) n++; // earlier lines are not news
      if (!n) return;
      if (fol.checked && wasBottom) { trim(); down(); }
      else { fresh += n; fb.classList.add("on"); $("span", fb).textContent = `${fresh} new line${fresh > 1 ? "s" : ""}`; }
    }).observe(log, { childList: true });
    // The address keeps the filter. Only what is typed or chosen last is answered.
    const filter = $("#log-filter");
    on("htmx:after:swap", (e) => {
      if (e.detail.ctx.sourceElement !== filter) return;
      const u = new URL(location), f = new FormData(filter);
      for (const [k, none] of [["level", "All"], ["log", ""]]) f.get(k) === none ? u.searchParams.delete(k) : u.searchParams.set(k, f.get(k));
      u.searchParams.delete("before"); history.replaceState(history.state, "", u); down();
    });
  }

  // Enter in a list adds an item; in other fields it sends the form
  on("keypress", (e) => {
    const i = e.target; if (e.key !== "Enter" || e.isComposing || !i.matches("[data-list] input")) return;
    e.preventDefault();
    const all = $$("input", i.parentElement); let next = all[all.indexOf(i) + 1];
    if (!next && i.value) { next = i.cloneNode(); next.value = ""; i.after(next); }
    next?.focus();
  });

  on("change", (e) => { if (e.target.matches("[data-all]")) $$("tbody .ck", e.target.closest("form")).forEach((c) => { c.checked = e.target.checked; }); });
  // forms that are sent by choosing; a search is saved as the address has it
  on("change", (e) => e.target.closest("form[data-autosubmit]")?.requestSubmit());
  on("submit", (e) => { const q = $("[data-list-query]", e.target); if (q) q.value = location.search.slice(1); });

  // live indicator follows the stream
  const live = (s, t) => { const l = $("#live"); if (l) { l.dataset.state = s; $(".txt", l).textContent = t; } };
  on("htmx:sse:after:connection", () => {
    const missed = $("#live")?.dataset.state === "down";
    live("up", "Live"); back(); if (missed) htmx.trigger(document.body, "changed");
  });
  on("htmx:sse:before:connection", (e) => { if (over) e.preventDefault(); });
  on("gone", () => refused(404));
  on("htmx:after:request", (e) => { const c = e.detail.ctx; if (c.response.status === 204 && c.sourceElement.hasAttribute("hx-sse:connect")) live("poll", "Every 15 s"); });
  on("htmx:sse:error", (e) => {
    const s = e.detail.status; if (s === 401) { refused(s); return; }
    away(); if (s === 404) for (const n of ["changed", "tl"]) htmx.trigger(document.body, n); // is it gone?
  });
  on("htmx:sse:close", (e) => { if (!over) live("off", e.detail.reason === "message" ? "Finished" : "Paused"); });

  // "12 s ago" keeps counting, by the server's clock
  const ahead = Date.parse(document.body.dataset.now) - Date.now() || 0;
  const span = (s) => s < 60 ? `${s | 0} s ago` : s < 3600 ? `${s / 60 | 0} min ago` : null;
  setInterval(() => $$("time[data-ago]").forEach((t) => { const v = span(Math.max(0, (Date.now() + ahead - Date.parse(t.dateTime)) / 1000)); if (v) t.textContent = v; }), 1000);

  // Times are in the zone that this computer is in now. A page that was made for
  // another is loaded anew at once; later it only says so, for somebody may be typing.
  const zone = (loaded) => {
    const tz = Intl.DateTimeFormat().resolvedOptions().timeZone, cookie = `fl_tz=${encodeURIComponent(tz)}`;
    if (!tz || document.cookie.split("; ").includes(cookie)) return;
    document.cookie = `${cookie};path=${base}/;max-age=31536000;samesite=lax`;
    const shown = document.body.dataset.zone;
    if (!shown || shown === tz || !document.cookie.includes(cookie)) return;
    if (loaded) location.reload(); else notice("#zone");
  };
  zone(true);
  on("visibilitychange", () => { if (!document.hidden) zone(false); });
})();
