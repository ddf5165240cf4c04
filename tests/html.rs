//! The HTML page, in a real browser: a script in the page does what a reader does, and the page
//! then tells what is to be seen.

mod support;

use std::fs;
use std::process::Command;
use std::time::Duration;

use assert_cmd::Command as AssertCommand;
use serde_json::{Value, json};
use support::exit;
use tempfile::TempDir;

/// The browsers to try.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Far above the time that a page needs.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A frame as the report has it.
fn frame(function: &str, file: &str, line: u32) -> Value {
    json!({ "function": function, "file": file, "line": line, "column": 5 })
}

/// A lost leak of so many bytes, which a function of this name allocated.
fn lost(id: &str, bytes: u64, function: &str, test: &str) -> Value {
    let traceback = [
        frame("core::ops::function::FnOnce::call_once", "core/src/ops/function.rs", 253),
        frame("shop::tests::buys", "src/lib.rs", 90),
        frame(function, "src/cart.rs", 12),
    ];
    json!({
        "id": id, "kind": "lost", "domain": "rust", "verdict": "leak", "bytes": bytes, "blocks": 1,
        "total_bytes": bytes, "total_blocks": 1, "type": "Vec<u8>", "holder": null,
        "path": [], "path_steps": 0, "cycle": [], "cycle_steps": 0,
        "sites": [{
            "type": "Vec<u8>", "bytes": bytes, "blocks": 1, "source": "forget(vec![0; 64])",
            "traceback": traceback, "total_nframe": 5,
        }],
        "tests": [{
            "package": "shop", "kind": "lib", "target": "shop", "name": test, "bytes": bytes,
            "blocks": 1, "total_bytes": bytes, "total_blocks": 1,
        }],
        "known": null, "known_bytes": null,
    })
}

/// Memory that `shop::CACHE` holds by way of a map.
fn held() -> Value {
    let step = |name: &str, line: u32| {
        json!({
            "type": name, "file": "src/cache.rs", "line": line, "bytes": 48, "pointer": 0,
            "strong": 0, "field": null,
        })
    };
    let mut leak = lost("aaaaaaaa", 50, "shop::Cache::fill", "tests::fills");
    leak["kind"] = "held".into();
    leak["type"] = "String".into();
    leak["holder"] = json!({
        "kind": "static", "name": "shop::CACHE", "file": "src/cache.rs", "line": 3,
        "thread": null, "start": null, "known": false,
    });
    leak["path"] = json!([step("HashMap<u32, Page>", 4), step("String", 5)]);
    leak["path_steps"] = 2.into();
    leak
}

fn report(leaks: Vec<Value>) -> Value {
    json!({
        "schema": 2, "tool_version": "0.1.0", "rustc": "rustc 1.95.0",
        "target_triple": "x86_64-unknown-linux-gnu",
        "options": {
            "limit": { "max_growth": 0, "max_blocks": null }, "runs": null, "frames": 16,
            "include": [], "exclude": [], "deny": [], "no_fail": false, "known_holders": true,
            "timeout_seconds": null,
        },
        "summary": {
            "tests": 0, "passed": 0, "failed": 0, "ignored": 0, "clean": 0, "once": 0, "leak": 0,
            "known": 0, "unconfirmed": 0, "skipped": 0, "passed_alone": 0, "untraced": 0,
        },
        "leaks": leaks, "doctests": null, "stale_known_leaks": null, "targets": [],
    })
}

/// A directory with the page of these leaks.
fn page(leaks: Vec<Value>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("report.json"), report(leaks).to_string()).unwrap();
    AssertCommand::new(env!("CARGO_BIN_EXE_cargo-tracemalloc"))
        .current_dir(dir.path())
        .args(["tracemalloc", "report", "report.json", "--html", "page.html", "--no-fail"])
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("GITHUB_ACTIONS")
        .assert()
        .code(exit::CLEAN);
    dir
}

fn three_leaks() -> TempDir {
    let other = lost("bbbbbbbb", 93, "shop::Cart::add", "tests::buys");
    let hostile = "</script><img src=x onerror=alert(1)>\u{1b}[31m";
    page(vec![held(), other, lost("cccccccc", 7, hostile, "<b>bold</b>")])
}

/// The browser, or `None` after a word that the test is skipped. CI has one.
fn browser() -> Option<&'static str> {
    let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    let found = BROWSERS.into_iter().find(|name| is_there(name));
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI needs a browser: ci/tools.sh installs one");
        eprintln!("skipped: no Chromium is installed (apt-get install chromium)");
    }
    found
}

/// Opens a page, runs a script in it, and returns what the script says line by line. Nothing may
/// go wrong on the page's console.
fn seen(browser: &str, dir: &TempDir, script: &str) -> Vec<String> {
    let page = fs::read_to_string(dir.path().join("page.html")).unwrap();
    let driver = format!(
        "<pre id=seen></pre><script>
        const say = (...what) => {{
            document.getElementById('seen').textContent += what.join(' ') + '\\n';
        }};
        const press = (key, target = document.activeElement) => target.dispatchEvent(
            new KeyboardEvent('keydown', {{ key, bubbles: true, cancelable: true }}));
        const shown = () => [...document.querySelectorAll('#leaks > li:not([hidden]) > details')]
            .map((leak) => leak.id);
        const search = document.getElementById('search');
        const type = (text) => {{ search.value = text; search.dispatchEvent(new Event('input')); }};
        addEventListener('error', (event) => say('error:', event.message));
        addEventListener('load', async () => {{
            const soon = () => new Promise((done) => setTimeout(done, 20));
            {script}
            say('end');
        }});
        </script></body>"
    );
    fs::write(dir.path().join("driven.html"), page.replace("</body>", &driver)).unwrap();
    let output = AssertCommand::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"])
        .args(["--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .arg(format!("file://{}", dir.path().join("driven.html").display()))
        .timeout(TIMEOUT)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!log.contains("CONSOLE"), "{log}");
    let dom = String::from_utf8(output.stdout).unwrap();
    let text = dom.split_once("<pre id=\"seen\">").expect("the page has run").1;
    let lines: Vec<String> =
        text.split_once("</pre>").unwrap().0.lines().map(str::to_owned).collect();
    assert_eq!(lines.last().map(String::as_str), Some("end"), "{dom}");
    lines
}

#[test]
fn the_list_is_there_without_scripts_the_most_bytes_first() {
    let dir = three_leaks();
    let page = fs::read_to_string(dir.path().join("page.html")).unwrap();
    let list = page.split_once("<ol id=\"leaks\">").unwrap().1.split_once("</ol>").unwrap().0;
    let rows: Vec<&str> = list.split("<li>").skip(1).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].contains("bbbbbbbb") && rows[0].contains("src/cart.rs:12"), "{}", rows[0]);
    assert!(rows[1].contains("held by shop::CACHE (src/cache.rs:3)"), "{}", rows[1]);
    assert!(page.contains("<h1>3 leaks</h1>"), "{page}");
}

#[test]
fn one_report_always_makes_the_same_page() {
    let read = |dir: &TempDir| fs::read_to_string(dir.path().join("page.html")).unwrap();
    assert_eq!(read(&three_leaks()), read(&three_leaks()));
}

#[test]
fn foreign_text_is_never_markup() {
    let dir = three_leaks();
    let page = fs::read_to_string(dir.path().join("page.html")).unwrap();
    assert!(!page.contains("<img") && !page.contains("<b>bold") && !page.contains('\u{1b}'));
    assert_eq!(page.matches("</script>").count(), 2, "the page's own");
    let Some(browser) = browser() else { return };
    let lines = seen(
        browser,
        &dir,
        "const leak = document.getElementById('cccccccc');
         leak.open = true; await soon();
         say(leak.querySelectorAll('img, b:not(summary > b)').length);
         say(leak.querySelector('.tests code').textContent);",
    );
    assert_eq!(lines, ["0", "&lt;b&gt;bold&lt;/b&gt;", "end"]);
}

#[test]
fn a_reader_searches_sorts_opens_and_moves_by_keys() {
    let dir = three_leaks();
    let Some(browser) = browser() else { return };
    let lines = seen(
        browser,
        &dir,
        "say(shown());
         press('/', document.body); say(document.activeElement.id);
         type('cache'); say(shown(), document.getElementById('shown').textContent);
         type('cart::add'); say(shown());
         type('nothing'); say(shown(), document.getElementById('none').hidden);
         press('Escape'); say(shown(), document.activeElement.tagName);
         press('j'); press('j'); say(document.activeElement.parentElement.id);
         press('k'); say(document.activeElement.parentElement.id);
         const sort = document.getElementById('sort');
         sort.value = 'blocks'; sort.dispatchEvent(new Event('change')); say(shown());
         const held = document.getElementById('aaaaaaaa');
         held.open = true; await soon();
         say([...held.querySelectorAll('.body summary')].map((node) => node.textContent).join(' > '));
         const tree = held.querySelector('.body details');
         tree.open = false; say(held.querySelector('.source').checkVisibility());
         tree.open = true; say(held.querySelector('.source').checkVisibility());",
    );
    assert_eq!(
        lines,
        [
            "bbbbbbbb,aaaaaaaa,cccccccc",
            "search",
            "aaaaaaaa 1 of 3",
            "bbbbbbbb",
            " false",
            "bbbbbbbb,aaaaaaaa,cccccccc BODY",
            "aaaaaaaa",
            "bbbbbbbb",
            "bbbbbbbb,aaaaaaaa,cccccccc",
            "shop::CACHE (src/cache.rs:3) &gt; HashMap&lt;u32, Page&gt; (src/cache.rs:4) &gt; \
             String (src/cache.rs:5) &gt; Vec&lt;u8&gt;: 50 B in 1 block a run &gt; 1 other frame",
            "false",
            "true",
            "end",
        ]
    );
}

#[test]
fn colours_follow_the_system_and_the_button() {
    let dir = three_leaks();
    let Some(browser) = browser() else { return };
    let lines = seen(
        browser,
        &dir,
        "const paper = () => getComputedStyle(document.body).backgroundColor;
         const before = paper();
         document.getElementById('theme').click(); const after = paper();
         document.getElementById('theme').click();
         say(before, after, paper() === before);",
    );
    assert_eq!(lines, ["rgb(255, 255, 255) rgb(21, 24, 28) true", "end"]);
}

#[test]
fn pictures_are_drawn_and_lead_to_the_leaks() {
    let dir = three_leaks();
    let Some(browser) = browser() else { return };
    let lines = seen(
        browser,
        &dir,
        "const cells = [...document.querySelectorAll('.treemap a')];
         say(cells.map((cell) => cell.getAttribute('href')));
         const areas = cells.map((cell) => {
             const box = cell.querySelector('rect');
             return Math.round(box.getAttribute('width') * box.getAttribute('height') / 1000);
         });
         say(areas[0] > areas[2] && areas[2] > areas[1]);
         location.hash = '#cccccccc'; await soon();
         say(document.getElementById('cccccccc').open);
         const graph = document.querySelector('iframe').srcdoc;
         say(graph.includes('shop::Cart::add (src/cart.rs:12) (93 bytes, 62.00%)'));",
    );
    assert_eq!(lines, ["#bbbbbbbb,#cccccccc,#aaaaaaaa", "true", "true", "true", "end"]);
}

/// The page of many leaks stays small enough to open and to send.
#[test]
fn ten_thousand_leaks_stay_below_five_megabytes() {
    let leaks = (0..10_000_u64).map(|number| {
        let function = format!("shop::module_{}::Type{}::method", number % 97, number % 1009);
        let test = format!("tests::module_{}::test_{number}", number % 97);
        lost(&format!("{number:08x}"), 64 + number, &function, &test)
    });
    let dir = page(leaks.collect());
    let size = fs::metadata(dir.path().join("page.html")).unwrap().len();
    assert!(size < 5_000_000, "{size} bytes");
    let page = fs::read_to_string(dir.path().join("page.html")).unwrap();
    assert!(page.contains(">10000 smaller leaks<"), "the treemap has one part for all of them");
    let Some(browser) = browser() else { return };
    let lines = seen(
        browser,
        &dir,
        "say(shown().length); type('test_9999'); say(shown()); type('module_5::'); say(shown().length);",
    );
    assert_eq!(lines, ["10000", "0000270f", "104", "end"]);
}

#[test]
fn a_report_without_leaks_is_a_short_page() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("report.json"), report(Vec::new()).to_string()).unwrap();
    let html = AssertCommand::new(env!("CARGO_BIN_EXE_cargo-tracemalloc"))
        .current_dir(dir.path())
        .args(["tracemalloc", "report", "report.json", "--format", "html", "--no-fail"])
        .env_remove("GITHUB_ACTIONS")
        .output()
        .unwrap();
    fs::write(dir.path().join("page.html"), &html.stdout).unwrap();
    let html = String::from_utf8(html.stdout).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("<h1>no leaks</h1>"), "{html}");
    assert!(!html.contains("<iframe") && !html.contains("treemap\""), "{html}");
    let Some(browser) = browser() else { return };
    assert_eq!(
        seen(browser, &dir, "say(document.querySelectorAll('#leaks li').length);"),
        ["0", "end"]
    );
}
