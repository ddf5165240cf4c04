//! Command lines, parsed and passed on.

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::{
    Cli, Command, NextestArgs, TestArgs, command, nextest, option_of_tests, without_subcommand,
};

fn parse(line: &str) -> TestArgs {
    let args = shell_words::split(line).unwrap().into_iter().map(Into::into);
    let Command::Test(args) = Cli::try_parse_from(without_subcommand(args)).unwrap().command else {
        panic!("another command: {line}");
    };
    *args
}

fn forwarded(line: &str) -> String {
    shell_words::join(parse(line).cargo.build_args())
}

#[test]
fn the_declaration_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn both_ways_of_calling_are_the_same() {
    assert_eq!(forwarded("cargo-tracemalloc tracemalloc test --lib"), "--lib");
    assert_eq!(forwarded("cargo-tracemalloc test --lib"), "--lib");
}

#[test]
fn an_option_of_the_tests_gets_advice_about_its_place_only() {
    let message = |line: &str| {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        option_of_tests::explained(Cli::try_parse_from(&args).unwrap_err(), &args, command())
            .to_string()
    };
    let expected = |option| {
        format!(
            "error: unexpected argument '{option}' found\n\n  \
             tip: to pass '{option}' as a value, use '-- {option}'\n\n\
             Usage: cargo tracemalloc test [OPTIONS] [TESTNAME] [-- <ARGS>...]\n\n\
             For more information, try '--help'.\n"
        )
    };
    for option in ["--nocapture", "--test-threads", "--exact"] {
        assert_eq!(message(&format!("x test {option}")), expected(option));
    }
    assert!(message("x test --featurs").contains("--features"));
}

#[test]
fn options_of_cargo_are_passed_on() {
    let line = "--package=a --package=b --workspace --exclude=c --lib --bin=d --tests --test --no-fail-fast \
                --jobs=2 --release --features=x,y --config=a.b=1 -Z=unstable-options";
    let typed = "-p a -p b --workspace --exclude-package c --lib --bin d --tests --test --no-fail-fast -j2 -r -F x,y \
                 --config a.b=1 -Zunstable-options";
    assert_eq!(
        forwarded(&format!("cargo-tracemalloc test {typed}")),
        shell_words::join(shell_words::split(line).unwrap())
    );
}

#[test]
fn a_name_and_arguments_of_the_harness_are_kept_apart() {
    let args =
        parse("cargo-tracemalloc test cache --max-growth '1 KiB' -- --test-threads 2 --exact");
    assert_eq!(args.cargo.harness_args(), ["cache", "--", "--test-threads", "2", "--exact"]);
    assert_eq!(args.leaks.max_growth, Some(1024));
}

fn parse_nextest(line: &str) -> NextestArgs {
    let args = shell_words::split(line).unwrap().into_iter().map(Into::into);
    let Command::Nextest(args) = Cli::try_parse_from(nextest::sorted(args)).unwrap().command else {
        panic!("another command: {line}");
    };
    args
}

#[test]
fn our_options_may_stand_anywhere_among_nextest_s() {
    let args = parse_nextest(
        "x nextest run --max-growth '1 KiB' -p a --retries 2 --runs=5 -E 'test(x)' --exclude '*.rs' \
         --exclude-package b --no-fail-fast --partition hash:1/2 -- --max-growth 3",
    );
    assert_eq!((args.leaks.max_growth, args.leaks.runs), (Some(1024), Some(5)));
    assert_eq!(args.leaks.exclude, ["*.rs"]);
    assert_eq!(
        shell_words::join(args.nextest_args()),
        "run -p a --retries 2 -E 'test(x)' --exclude b --no-fail-fast --partition hash:1/2 -- --max-growth 3"
    );
}

#[test]
fn options_of_cargo_are_understood_and_passed_on() {
    let args = parse_nextest(
        "x nextest run --manifest-path a/Cargo.toml -Fx --features y -vv --target-dir t --target=z -Z q --config a.b=1 name",
    );
    let options = args.cargo_options().unwrap();
    assert_eq!(options.build.manifest_path.as_ref().unwrap(), "a/Cargo.toml");
    assert_eq!(
        (options.build.features, options.build.verbose),
        (vec!["x".to_owned(), "y".to_owned()], 2)
    );
    assert_eq!(
        (options.build.target, options.build.unstable),
        (vec!["z".to_owned()], vec!["q".to_owned()])
    );
    assert_eq!(options.build.target_dir.as_ref().unwrap(), "t");
    assert_eq!(
        args.nextest_args().join(" "),
        "run --manifest-path a/Cargo.toml -Fx --features y -vv --target=z -Z q --config a.b=1 name"
    );
}

#[test]
fn help_shows_options_of_the_baseline_only_where_they_have_an_effect() {
    let mut cli = Cli::command();
    for (name, shown) in [("test", true), ("nextest", true), ("show-env", false), ("config", false)]
    {
        let help = cli.find_subcommand_mut(name).unwrap().render_long_help().to_string();
        assert!(help.contains("--baseline <PATH>"), "{help}");
        for option in ["--write-baseline", "--prune-baseline"] {
            assert_eq!(help.contains(option), shown, "{name}: {help}");
        }
    }
}

#[test]
fn the_baseline_s_path_is_no_name_of_a_test() {
    let written = |line: &str| {
        let args = parse_nextest(line);
        let options = args.cargo_options().unwrap();
        assert_eq!((options.package, args.rest.len()), (vec!["a".to_owned()], 4), "{line}");
        args.leaks.baseline.write_baseline
    };
    assert_eq!(written("x nextest run --write-baseline -p a name"), Some(None));
    assert_eq!(written("x nextest run -p a --write-baseline name"), Some(None));
    let given = Some(Some("x.toml".into()));
    assert_eq!(written("x nextest run --write-baseline x.toml -p a name"), given);
    assert_eq!(written("x nextest run -p a name --write-baseline=x.toml"), given);
}
