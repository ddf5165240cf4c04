"use strict";
(() => {
    const $ = (id) => document.getElementById(id);
    const list = $("leaks");
    const rows = [...list.children];
    if (rows.length === 0) return;
    const data = JSON.parse($("details").textContent);
    const textOf = (index) => data.texts[index];
    for (const [id, [notes, way, isCycle, sites, tests, bytes, blocks]] of Object.entries(data.leaks)) {
        const named = sites.map(([title, source, frames, cut]) => ({ title, source, frames, cut }));
        data.leaks[id] = { notes, way, isCycle, sites: named, tests, bytes, blocks };
    }
    const leakOf = (row) => data.leaks[row.firstElementChild.id];

    /** An element with a class and children. Texts are never HTML. */
    const make = (tag, className, ...children) => {
        const element = document.createElement(tag);
        if (className) element.className = className;
        element.append(...children);
        return element;
    };

    const node = (title, open, ...children) => {
        const element = make("details", "", make("summary", "", title), ...children);
        element.open = open;
        return element;
    };

    /** Frames of the workspace as they are, others folded. */
    const frames = (site) => {
        const own = site.frames.some((index) => data.frames[index][2]);
        const box = make("div", "");
        let source = site.source;
        for (let at = 0; at < site.frames.length; ) {
            const isFolded = own && !data.frames[site.frames[at]][2];
            let end = at + 1;
            while (end < site.frames.length && isFolded && !data.frames[site.frames[end]][2]) end += 1;
            const lines = make("ol", "frames");
            for (const index of site.frames.slice(at, end)) {
                const [name, place, isOwn] = data.frames[index];
                const line = `${textOf(name)}   ${textOf(place)}`;
                lines.append(make("li", isOwn ? "" : "foreign", line));
            }
            box.append(isFolded ? node(frameCount(end - at, "other"), false, lines) : lines);
            if (!isFolded && source !== null) {
                box.append(make("pre", "source", textOf(source)));
                source = null;
            }
            at = end;
        }
        if (site.cut > 0) box.append(make("p", "", `and ${frameCount(site.cut, "older")}`));
        return box;
    };

    const frameCount = (number, kind) => `${number} ${kind} frame${number === 1 ? "" : "s"}`;

    /** The holder, the steps to the growing part, and the places that allocate: a tree. */
    const retainers = (leak) => {
        const sites = leak.sites.map((site, at) => node(textOf(site.title), at === 0, frames(site)));
        if (leak.isCycle) sites.unshift(make("p", "way", "and round again"));
        return leak.way.reduceRight((children, step) => [node(textOf(step), true, ...children)], sites);
    };

    const body = (id) => {
        const leak = data.leaks[id];
        const box = make("div", "body");
        for (const note of leak.notes) box.append(make("p", "", textOf(note)));
        const title = leak.isCycle ? "The cycle" : leak.way.length > 0 ? "Held by" : "Allocated at";
        box.append(make("h3", "", title), ...retainers(leak));
        const tests = make("ul", "tests");
        for (const index of leak.tests) {
            const [name, target] = data.tests[index];
            tests.append(make("li", "", make("code", "", textOf(name)), ` ${textOf(target)}`));
        }
        box.append(make("h3", "", "Seen by"), tests);
        return box;
    };

    const fill = (leak) => {
        if (leak.children.length === 1) leak.append(body(leak.id));
    };
    list.addEventListener("toggle", (event) => {
        if (event.target.parentElement.parentElement === list) fill(event.target);
    }, true);

    /** What a search compares: the row, and the names of all tests and places. */
    const haystacks = new Map();
    const haystack = (row) => {
        let text = haystacks.get(row);
        if (text === undefined) {
            const leak = leakOf(row);
            const parts = [row.textContent, ...leak.way.map(textOf)];
            for (const site of leak.sites) {
                parts.push(textOf(site.title));
                for (const index of site.frames) {
                    parts.push(textOf(data.frames[index][0]), textOf(data.frames[index][1]));
                }
            }
            for (const index of leak.tests) parts.push(...data.tests[index].map(textOf));
            text = parts.join("\n").toLowerCase();
            haystacks.set(row, text);
        }
        return text;
    };

    const search = () => {
        const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
        let shown = 0;
        for (const row of rows) {
            row.hidden = !words.every((word) => haystack(row).includes(word));
            if (!row.hidden) shown += 1;
        }
        $("shown").textContent = words.length > 0 ? `${shown} of ${rows.length}` : "";
        $("none").hidden = shown > 0;
    };

    const sort = () => {
        const size = { bytes: (leak) => leak.bytes, blocks: (leak) => leak.blocks, tests: (leak) => leak.tests.length };
        const by = size[$("sort").value];
        list.append(...rows.sort((a, b) => by(leakOf(b)) - by(leakOf(a))));
    };

    const move = (by) => {
        const shown = [...list.children].filter((row) => !row.hidden);
        const at = shown.findIndex((row) => row.contains(document.activeElement));
        const next = shown[Math.min(Math.max(at + by, 0), shown.length - 1)];
        if (next) next.querySelector("summary").focus();
    };

    const openTarget = () => {
        const leak = location.hash && $(location.hash.slice(1));
        if (!leak || leak.tagName !== "DETAILS") return;
        leak.open = true;
        leak.parentElement.hidden = false;
        leak.scrollIntoView({ block: "start" });
        leak.firstElementChild.focus();
    };

    $("tools").hidden = false;
    $("tools").addEventListener("submit", (event) => event.preventDefault());
    $("search").addEventListener("input", search);
    $("sort").addEventListener("change", sort);
    $("theme").addEventListener("click", () => {
        const root = document.documentElement.style;
        const isDark = root.colorScheme === "dark" ||
            (root.colorScheme === "" && matchMedia("(prefers-color-scheme: dark)").matches);
        root.colorScheme = isDark ? "light" : "dark";
    });
    document.addEventListener("keydown", (event) => {
        const isTyping = event.target === $("search");
        if (event.key === "Escape" && isTyping) {
            $("search").value = "";
            search();
            $("search").blur();
        }
        if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === "/") {
            event.preventDefault();
            $("search").focus();
        }
        if (event.key === "j") move(1);
        if (event.key === "k") move(-1);
    });
    window.addEventListener("hashchange", openTarget);
    openTarget();
})();
