//! The ways in which workspaces are built: flags, wrappers, targets, profiles, toolchains, crate
//! types. Under each, tests have the same results as under `cargo test`, and a leak is found at its
//! line.

mod support;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use support::{Call, Listing, Project, Report, exit};
use tracemalloc_harness::{TargetNote, Verdict, to_bytes};

const LEAKS: &str = "cache::tests::forgets_the_oldest";

/// How the demo is built.
#[derive(Default)]
struct SetUp {
    /// A directory of its own.
    name: &'static str,
    /// `.cargo/config.toml`.
    config: &'static str,
    /// The addition to the manifest.
    manifest: &'static str,
    /// Variables.
    env: &'static [(&'static str, &'static str)],
    /// Arguments.
    args: &'static str,
    /// The sources ask for `--cfg set_up`.
    cfg: bool,
}

impl SetUp {
    /// Runs `cargo test` and `cargo tracemalloc test`, and compares.
    fn check(&self) {
        println!("---- {} ----", self.name);
        let project = self.project();
        let args = format!("--lib {}", self.args);
        let plain = self.in_env(project.cargo_test(&args)).run().code(exit::CLEAN);
        let traced = self.in_env(project.tracemalloc(&args)).run().code(exit::LEAK);
        assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout), "{}", self.name);
        assert_found(&project, &project.report(), self.name);
    }

    fn project(&self) -> Project {
        let project = Project::copy("demo", &format!("set-up {}", self.name));
        fs::create_dir_all(project.root.join(".cargo")).unwrap();
        project.write(".cargo/config.toml", self.config);
        let read = |path: &str| fs::read_to_string(project.root.join(path)).unwrap();
        project.write("Cargo.toml", &format!("{}\n{}", read("Cargo.toml"), self.manifest));
        if self.cfg {
            let demand = "#[cfg(not(set_up))]\ncompile_error!(\"a flag is lost\");\n";
            project.write("src/lib.rs", &format!("{}{demand}", read("src/lib.rs")));
        }
        project
    }

    fn in_env(&self, call: Call) -> Call {
        self.env.iter().fold(call, |call, (name, value)| call.env(name, value))
    }
}

/// The demo's leak, at its line.
#[track_caller]
fn assert_found(project: &Project, report: &Report, name: &str) {
    assert_eq!(report.leaks(), [LEAKS], "{name}");
    let [growth] = report.test(LEAKS).growth.as_slice() else { panic!("{name}: one traceback") };
    assert_eq!((growth.bytes, growth.blocks), (4096, 1), "{name}");
    assert_eq!(growth.type_name.as_deref(), Some("Vec<u8>"), "{name}");
    let frame = growth.traceback.last().unwrap();
    assert_eq!(
        (frame.function.as_str(), frame.file.as_str()),
        ("demo::cache::Cache::fill", "src/cache.rs"),
        "{name}"
    );
    let source = fs::read_to_string(project.root.join(&frame.file)).unwrap();
    let line = source.lines().nth(frame.line as usize - 1).unwrap();
    assert!(line.contains("vec![0_u8; PAGE_SIZE]"), "{name}: {line}");
}

#[test]
fn flags_from_everywhere_reach_the_compiler() {
    for set_up in [
        SetUp {
            name: "build.rustflags",
            config: "[build]\nrustflags = ['--cfg', 'set_up']",
            ..SetUp::default()
        },
        SetUp {
            name: "target.rustflags",
            config: "[target.'cfg(all())']\nrustflags = ['--cfg', 'set_up']",
            ..SetUp::default()
        },
        SetUp {
            name: "RUSTFLAGS",
            env: &[("RUSTFLAGS", "--cfg set_up -C opt-level=2")],
            ..SetUp::default()
        },
        SetUp {
            name: "CARGO_ENCODED_RUSTFLAGS",
            env: &[(
                "CARGO_ENCODED_RUSTFLAGS",
                "--cfg\x1fset_up\x1f-Cdebuginfo=0\x1f-Cstrip=symbols",
            )],
            ..SetUp::default()
        },
        SetUp {
            name: "config-rustflags",
            args: "--config build.rustflags=['--cfg','set_up']",
            ..SetUp::default()
        },
    ] {
        SetUp { cfg: true, ..set_up }.check();
    }
}

#[test]
fn profiles_leave_tests_and_lines_as_they_are() {
    for set_up in [
        // Optimised, these would link for minutes: the harness takes part.
        SetUp {
            name: "lto-fat",
            manifest: "[profile.release]\nlto = 'fat'\nopt-level = 0\ncodegen-units = 1\nstrip = true\npanic = 'abort'",
            args: "--release",
            ..SetUp::default()
        },
        SetUp { name: "lto-thin", manifest: "[profile.test]\nlto = 'thin'", ..SetUp::default() },
        SetUp {
            name: "release",
            manifest: "[profile.release]\nopt-level = 's'\nstrip = 'symbols'\nsplit-debuginfo = 'packed'",
            args: "--release",
            ..SetUp::default()
        },
        SetUp {
            name: "profile-test",
            manifest: "[profile.test]\nopt-level = 3\ncodegen-units = 1\npanic = 'abort'\nstrip = 'debuginfo'",
            ..SetUp::default()
        },
        SetUp {
            name: "custom-profile",
            manifest: "[profile.ci]\ninherits = 'dev'\ndebug = 0\nincremental = false\noverflow-checks = false",
            args: "--profile ci",
            ..SetUp::default()
        },
        SetUp {
            name: "line-tables-only",
            manifest: "[profile.test]\nopt-level = 3\ndebug = 'line-tables-only'",
            ..SetUp::default()
        },
        SetUp {
            name: "split-packed",
            manifest: "[profile.test]\nsplit-debuginfo = 'packed'",
            ..SetUp::default()
        },
        SetUp {
            name: "split-unpacked",
            manifest: "[profile.test]\nsplit-debuginfo = 'unpacked'",
            ..SetUp::default()
        },
    ] {
        set_up.check();
    }
}

#[test]
fn a_target_may_be_named() {
    let host = Call::program("rustc").arg("-vV").run().code(exit::CLEAN).stdout;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
    for (name, args, config) in [
        ("--target", format!("--target {host}"), String::new()),
        ("build.target", String::new(), format!("[build]\ntarget = '{host}'")),
        ("config-target", format!("--config build.target='{host}'"), String::new()),
    ] {
        let set_up = SetUp { name, args: args.leak(), config: config.leak(), ..SetUp::default() };
        set_up.check();
    }
}

/// A wrapper as sccache is one: called with the compiler and its arguments.
#[cfg(unix)]
#[test]
fn a_compiler_wrapper_from_anywhere_is_called() {
    use std::os::unix::fs::PermissionsExt as _;
    let wrapper = "./wrapper.sh";
    for (name, config, args, variable) in [
        ("RUSTC_WRAPPER", "", "", "RUSTC_WRAPPER"),
        ("CARGO_BUILD_RUSTC_WRAPPER", "", "", "CARGO_BUILD_RUSTC_WRAPPER"),
        ("RUSTC_WORKSPACE_WRAPPER", "", "", "RUSTC_WORKSPACE_WRAPPER"),
        ("build.rustc-wrapper", "[build]\nrustc-wrapper = './wrapper.sh'", "", ""),
        ("config-wrapper", "", "--config build.rustc-wrapper='./wrapper.sh'", ""),
        ("config-file-wrapper", "", "--config other.toml", ""),
    ] {
        let set_up = SetUp { name, config, args, ..SetUp::default() };
        let project = set_up.project();
        let (script, log) = (project.root.join(wrapper), project.root.join("wrapper.log"));
        fs::write(&script, format!("#!/bin/sh\necho \"$@\" >>'{}'\nexec \"$@\"\n", log.display()))
            .unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        project.write("other.toml", "[build]\nrustc-wrapper = './demo/wrapper.sh'");
        // Compiled anew, also where the target directory is left from an earlier test run.
        let lib = project.root.join("src/lib.rs");
        fs::write(&lib, fs::read(&lib).unwrap()).unwrap();
        let mut call = project.tracemalloc(&format!("--lib {args}"));
        if !variable.is_empty() {
            call = call.env(variable, &script);
        }
        call.run().code(exit::LEAK);
        assert_found(&project, &project.report(), name);
        let log = fs::read_to_string(&log).unwrap_or_default();
        let compiled = log
            .lines()
            .find(|line| line.contains("--crate-name demo"))
            .unwrap_or_else(|| panic!("{name}"));
        assert!(
            compiled.contains("--test") && compiled.contains("--extern test="),
            "{name}: {compiled}"
        );
    }
}

#[test]
fn a_toolchain_file_is_obeyed() {
    let project = Project::copy("demo", "set-up toolchain");
    let sysroot =
        Call::program("rustc").args("--print sysroot").dir(&project.root).run().code(exit::CLEAN);
    project.write(
        "rust-toolchain.toml",
        &format!("[toolchain]\npath = '{}'\n", sysroot.stdout.trim()),
    );
    project.tracemalloc("--lib").env("RUSTUP_TOOLCHAIN", "").run().code(exit::LEAK);
    assert_found(&project, &project.report(), "toolchain");

    project.write("rust-toolchain.toml", "[toolchain]\npath = '/no/such/toolchain'\n");
    let output =
        project.tracemalloc("--lib").env("RUSTUP_TOOLCHAIN", "").run().code(exit::COULD_NOT_RUN);
    assert!(output.stderr.contains("/no/such/toolchain"), "{}", output.stderr);
}

/// Line numbers and sizes of the lines that say `// leak: size=N`.
fn marked(path: &Path) -> Vec<(u32, u64)> {
    let source = fs::read_to_string(path).unwrap();
    let lines = source.lines().zip(1..);
    lines
        .filter_map(|(line, number)| {
            Some((number, line.split_once("// leak: size=")?.1.parse().unwrap()))
        })
        .collect()
}

#[test]
fn crates_of_every_type_are_traced() {
    let project = Project::copy("set-ups", "crate-types");
    let packages = ["macros", "no-std", "libraries", "probing"];
    let args = format!("{} --tests", packages.map(|package| format!("-p {package}")).join(" "));
    let plain = project.cargo_test(&args).run().code(exit::CLEAN);
    let traced = project.tracemalloc(&args).run().code(exit::LEAK);
    assert_eq!(Listing::parse(&traced.stdout), Listing::parse(&plain.stdout));
    check_marked(&project, &packages);
}

/// Each package has one leak, at its marked line.
fn check_marked(project: &Project, packages: &[&str]) {
    let report = project.report();
    assert_eq!(report.leaks(), vec!["tests::leaks"; packages.len()]);
    for package in packages {
        let file = format!("{package}/src/lib.rs");
        let target = report.targets.iter().find(|target| target.src == file).unwrap();
        assert!(target.traced, "{package}");
        let leak = target.tests.iter().find(|test| test.name == "tests::leaks").unwrap();
        let found: Vec<(u32, u64)> = leak
            .growth
            .iter()
            .map(|growth| (growth.traceback.last().unwrap().line, growth.bytes))
            .collect();
        assert_eq!(found, marked(&project.root.join(&file)), "{package}");
    }
}

/// `RUSTC_BOOTSTRAP` makes any compiler a nightly one.
#[test]
fn features_of_nightly_work_too() {
    let project = Project::copy("set-ups", "nightly");
    for args in [
        "",
        "--benches",
        "-Zunstable-options -Zno-index-update",
        "-- -Zunstable-options --report-time",
    ] {
        let args = format!("-p nightly {args}");
        let plain = project.cargo_test(&args).env("RUSTC_BOOTSTRAP", "1").run().code(exit::CLEAN);
        let traced = project.tracemalloc(&args).env("RUSTC_BOOTSTRAP", "1").run().code(exit::LEAK);
        let names = |stdout: &str| Listing::parse(stdout).tests();
        assert_eq!(names(&traced.stdout), names(&plain.stdout), "{args}");
        check_marked(&project, &["nightly"]);
    }
    assert_eq!(project.report().verdict("tests::panics"), Some(Verdict::Clean));

    // Where panics abort, a test that is expected to panic passes all the same.
    let manifest = fs::read_to_string(project.root.join("Cargo.toml")).unwrap();
    project.write("Cargo.toml", &format!("{manifest}\n[profile.test]\npanic = 'abort'\n"));
    let args = "-p nightly --lib -Zpanic-abort-tests";
    let plain = project.cargo_test(args).env("RUSTC_BOOTSTRAP", "1").run().code(exit::CLEAN);
    let traced = project.tracemalloc(args).env("RUSTC_BOOTSTRAP", "1").run().code(exit::LEAK);
    assert_eq!(Listing::parse(&traced.stdout).tests(), Listing::parse(&plain.stdout).tests());
    check_marked(&project, &["nightly"]);
    assert_eq!(project.report().verdict("tests::panics"), Some(Verdict::Skipped));
}

/// Such a target calls no harness. It is traced as a program, or reported as untraced.
#[cfg(target_os = "linux")]
#[test]
fn a_test_framework_of_its_own_is_traced_as_a_program() {
    let project = Project::copy("set-ups", "own-framework");
    for _ in 0..2 {
        let call = project.tracemalloc("-p framework").env("RUSTC_BOOTSTRAP", "1");
        let output = call.run().code(exit::LEAK);
        assert!(output.stdout.contains("2 cases ran"), "{}", output.stdout);
        let report = project.report();
        let growth = &report.test("main").growth[0];
        let place = (growth.traceback.last().unwrap().line, growth.bytes);
        assert_eq!(vec![place], marked(&project.root.join("framework/src/lib.rs")));
    }
}

/// A target without the harness leaves no fragment, so each run has to say that it is untraced. The
/// wrapper's note says so, also when cargo compiles nothing.
#[test]
fn an_untraced_target_is_named_in_each_run() {
    let project = Project::copy("demo", "untraced");
    let read = |path: &str| fs::read_to_string(project.root.join(path)).unwrap();
    // Cargo does not run it, as if it ran without the harness.
    let target = "[[test]]\nname = \"other\"\npath = \"other.rs\"\ntest = false\n";
    project.write("Cargo.toml", &format!("{}\n{target}", read("Cargo.toml")));
    project.write("other.rs", "#[test]\nfn passes() {}\n");
    project.tracemalloc("-- --skip forgets").run().code(exit::CLEAN);
    let note = TargetNote {
        package: "demo".to_owned(),
        version: report_version(&project),
        crate_name: "other".to_owned(),
        is_program: false,
        src_path: project.root.join("other.rs").to_str().unwrap().to_owned(),
        executable: String::new(),
        untraced: Some("a word".to_owned()),
        is_optimised: false,
        c_untraced: None,
        command: String::new(),
        doctests: None,
    };
    let path = project.root.join("target/tracemalloc/debug/deps/other-0123456789abcdef");
    fs::write(path.with_extension("tracemalloc"), to_bytes(&note)).unwrap();
    let run = |args: &str| {
        let call = project.tracemalloc(&format!("{args} -- --skip forgets"));
        call.run().code(exit::CLEAN).stdout.contains("untraced demo test other: a word")
    };
    assert!(run(""));
    assert!(!run("--lib"), "it is not selected");
    let nextest = |args: &str| {
        let call = project.subcommand("nextest", "run").args(args);
        call.run().code(exit::CLEAN).stdout.contains("untraced demo test other: a word")
    };
    assert!(nextest("-p demo -E not(test(forgets))"), "nextest named none");
    assert!(!nextest("--lib -E not(test(forgets))"), "it is not selected");
}

/// The version of the demo, as notes have it.
fn report_version(project: &Project) -> String {
    let targets = &project.report().targets;
    targets.iter().find(|target| target.package == "demo").unwrap().version.clone()
}

#[test]
fn a_workspace_may_have_fifty_members() {
    const MEMBERS: usize = 50;
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fifty members");
    let member = |number: usize| format!("member-{number:02}");
    let write = |path: PathBuf, content: String| {
        if fs::read_to_string(&path).ok().as_ref() != Some(&content) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    };
    write(
        root.join("Cargo.toml"),
        "[workspace]\nresolver = '3'\nmembers = ['member-*']\n".to_owned(),
    );
    for number in 0..MEMBERS {
        let dir = root.join(member(number));
        let manifest = format!("[package]\nname = '{}'\nedition = '2024'\n", member(number));
        let before = number
            .checked_sub(1)
            .map(|before| format!("{0} = {{ path = '../{0}' }}\n", member(before)));
        write(
            dir.join("Cargo.toml"),
            format!("{manifest}[dependencies]\n{}", before.unwrap_or_default()),
        );
        // Every tenth leaks a byte more than the one before.
        let body = if number % 10 == 0 {
            format!("vec![1_u8; {}].leak();", number + 1)
        } else {
            String::new()
        };
        write(
            dir.join("src/lib.rs"),
            format!("#[test]\nfn of_member_{number:02}() {{\n    {body}\n}}\n"),
        );
    }
    let output = Call::tracemalloc().args("--workspace --tests").dir(&root).run().code(exit::LEAK);
    assert_eq!(Listing::parse(&output.stdout).tests().len(), MEMBERS);
    let report = Report::read(&root.join("target/tracemalloc/report.json"));
    assert_eq!(
        (report.targets.len(), report.count("passed"), report.count("leak")),
        (MEMBERS, 50, 5)
    );
    for number in (0..MEMBERS).step_by(10) {
        let growth = &report.test(&format!("of_member_{number:02}")).growth[0];
        let frame = growth.traceback.last().unwrap();
        assert_eq!(
            (frame.file.as_str(), frame.line),
            (format!("{}/src/lib.rs", member(number)).as_str(), 3)
        );
        assert_eq!(growth.bytes, number as u64 + 1);
    }
}
