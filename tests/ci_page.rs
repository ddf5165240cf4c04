//! The GitHub Action and the configurations of `docs/ci.md`: their form, by the rules of the
//! services, and what their scripts do.

#![cfg(unix)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml_ng::Value;
use support::{Call, Project, exit};

/// The file of an action, by GitHub's reference of its metadata.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    name: String,
    description: String,
    inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Output>,
    runs: Runs,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    description: String,
    default: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    description: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Runs {
    using: String,
    steps: Vec<Step>,
}

/// A step of an action or of a job.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: Option<String>,
    id: Option<String>,
    #[serde(rename = "if")]
    condition: Option<String>,
    uses: Option<String>,
    #[serde(default)]
    with: BTreeMap<String, Value>,
    run: Option<String>,
    shell: Option<String>,
    #[serde(rename = "working-directory")]
    dir: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Workflow {
    on: Value,
    jobs: BTreeMap<String, Job>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Job {
    runs_on: String,
    needs: Option<String>,
    #[serde(rename = "if")]
    condition: Option<String>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    strategy: Option<Value>,
    steps: Vec<Step>,
}

/// A job of GitLab.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GitlabJob {
    image: String,
    script: Vec<String>,
    artifacts: Artifacts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Artifacts {
    when: String,
    paths: Vec<String>,
    reports: BTreeMap<String, String>,
}

fn source(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

fn action() -> Action {
    serde_yaml_ng::from_str(&source("ci/action/action.yml")).unwrap()
}

/// The blocks of `docs/ci.md` in one language.
fn blocks(language: &str) -> Vec<String> {
    let (page, start) = (source("docs/ci.md"), format!("```{language}\n"));
    let parts = page.split(&start).skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// The expressions `${{ NAME }}` of a text.
fn expressions(text: &str) -> Vec<&str> {
    text.split("${{").skip(1).map(|rest| rest.split("}}").next().unwrap().trim()).collect()
}

/// Checks steps by the rules of the runner. In an action, each script names its shell.
fn check_steps(steps: &[Step], in_action: bool) {
    let own = action();
    for step in steps {
        assert_ne!(step.uses.is_some(), step.run.is_some(), "{:?}", step.name);
        assert!(!in_action || step.run.is_none() || step.shell.is_some(), "{:?}", step.name);
        let uses = step.uses.as_deref().unwrap_or_default();
        assert!(uses.is_empty() || uses.contains('@'), "{uses} has no version");
        if uses.contains("/ci/action@") {
            for input in step.with.keys() {
                assert!(own.inputs.contains_key(input), "the action has no input {input}");
            }
        }
        let texts = step.env.values().chain(&step.run).chain(&step.dir).chain(&step.condition);
        for expression in texts.flat_map(|text| expressions(text)) {
            let is_known = match expression.split_once('.') {
                Some(("inputs", input)) => own.inputs.contains_key(input),
                Some(("matrix", _)) => !in_action,
                _ => ["!cancelled()"].contains(&expression),
            };
            assert!(is_known, "{expression}");
        }
    }
}

/// The options of `cargo tracemalloc` in a script, each with the subcommand.
fn options(script: &str) -> Vec<(String, String)> {
    // Folded lines of YAML.
    let script = script.replace("\n          -", " -");
    let mut found = Vec::new();
    for line in script.lines() {
        let Some((_, call)) = line.split_once("cargo tracemalloc ") else { continue };
        let mut words = call.split_whitespace();
        let subcommand = words.next().unwrap().to_owned();
        let options = words.filter(|word| word.starts_with("--") && word.len() > 2);
        found.extend(options.map(|option| (subcommand.clone(), option.to_owned())));
    }
    found
}

/// Options that nextest has, and the command passes on.
const OF_NEXTEST: [&str; 2] = ["--partition", "--workspace"];

#[test]
fn the_action_keeps_to_the_rules_of_composite_actions() {
    let action = action();
    assert!(!action.name.is_empty() && !action.description.is_empty());
    assert!(action.inputs.values().all(|input| !input.description.is_empty()));
    assert!(action.inputs.values().all(|input| !input.default.contains("${{")));
    assert_eq!(action.runs.using, "composite");
    check_steps(&action.runs.steps, true);
    let ids: BTreeSet<&str> =
        action.runs.steps.iter().filter_map(|step| step.id.as_deref()).collect();
    for output in action.outputs.values() {
        assert!(!output.description.is_empty());
        let [expression] = expressions(&output.value)[..] else { panic!("{}", output.value) };
        let ["steps", id, "outputs", name] = expression.split('.').collect::<Vec<_>>()[..] else {
            panic!("{expression}");
        };
        let step = action.runs.steps.iter().find(|step| step.id.as_deref() == Some(id));
        assert!(ids.contains(id) && step.unwrap().run.as_ref().unwrap().contains(name));
    }
}

#[test]
fn the_page_s_configurations_keep_to_the_rules_of_their_services() {
    let (mut workflows, mut gitlab) = (0, 0);
    for block in blocks("yaml") {
        if block.contains("\njobs:") {
            let workflow: Workflow = serde_yaml_ng::from_str(&block).unwrap();
            assert!(!workflow.on.is_null());
            for job in workflow.jobs.values() {
                assert_eq!(job.runs_on, "ubuntu-latest");
                assert!(job.needs.as_ref().is_none_or(|needs| workflow.jobs.contains_key(needs)));
                assert!(job.permissions.values().all(|level| level == "read" || level == "write"));
                assert_eq!(
                    job.strategy.is_some(),
                    block.contains("matrix.shard") && job.needs.is_none()
                );
                assert!(job.condition.as_deref().is_none_or(|when| when.contains("cancelled()")));
                check_steps(&job.steps, false);
            }
            workflows += 1;
        } else {
            let jobs: BTreeMap<String, GitlabJob> = serde_yaml_ng::from_str(&block).unwrap();
            for job in jobs.values() {
                assert!(job.image.starts_with("rust:") && job.artifacts.when == "always");
                let kinds: Vec<&str> = job.artifacts.reports.keys().map(String::as_str).collect();
                assert_eq!(kinds, ["codequality", "junit"]);
                for file in job.artifacts.reports.values() {
                    assert!(job.script.concat().contains(file), "nothing writes {file}");
                }
                assert!(!job.artifacts.paths.is_empty());
            }
            gitlab += 1;
        }
    }
    assert_eq!((workflows, gitlab), (2, 1));
}

#[test]
fn the_page_s_commands_have_only_options_that_exist() {
    let page = source("docs/ci.md");
    let found = options(&page);
    assert!(found.len() > 8, "{found:?}");
    for (subcommand, option) in found {
        if subcommand == "nextest" && OF_NEXTEST.contains(&option.as_str()) {
            continue;
        }
        let help = Call::subcommand(&subcommand).arg("--help").run().code(exit::CLEAN).stdout;
        let name = option.split('=').next().unwrap();
        let mut words = help.split(|c: char| c.is_whitespace() || ",<[".contains(c));
        assert!(words.any(|word| word == name), "{subcommand} {option}");
    }
}

/// Runs the action's own script as the runner does, with the command under test on `PATH`. Returns
/// the text on stderr, the outputs, and the summary.
fn run_action(project: &Project, args: &str) -> (String, BTreeMap<String, String>, String) {
    let bin = project.root.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let command = env!("CARGO_BIN_EXE_cargo-tracemalloc");
    let link = bin.join("cargo-tracemalloc");
    let _gone = fs::remove_file(&link);
    std::os::unix::fs::symlink(command, &link).unwrap();
    let path = std::env::var("PATH").unwrap();
    let script: PathBuf = project.root.join("step.sh");
    let step = action().runs.steps.pop().unwrap();
    fs::write(&script, step.run.unwrap()).unwrap();
    let (output, summary) = (project.root.join("output"), project.root.join("summary"));
    for file in [&output, &summary] {
        fs::write(file, "").unwrap();
    }
    // The runner's options for `shell: bash`.
    let call = Call::program("bash")
        .args("--noprofile --norc -eo pipefail")
        .arg(&script)
        .dir(&project.root)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("TRACEMALLOC_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", &output)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("ARGS", args)
        .env("SARIF", "true");
    let ran = call.run().code(exit::LEAK);
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let outputs = read(&output);
    let outputs = outputs.lines().filter_map(|line| line.split_once('='));
    let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (ran.stderr, outputs, read(&summary))
}

#[test]
fn the_action_s_script_reports_a_leak_with_annotations_and_files() {
    let project = Project::copy("demo", "action");
    let (stderr, outputs, summary) = run_action(&project, "--lib -- cache");
    assert_eq!(stderr.matches("::error file=src/cache.rs,line=").count(), 1);
    assert!(summary.contains("### tracemalloc: 1 leak"), "{summary}");
    let files = [
        ("report", "tracemalloc-report.json"),
        ("junit", "tracemalloc-junit.xml"),
        ("sarif", "tracemalloc.sarif"),
    ];
    for (name, file) in files {
        assert_eq!(Path::new(&outputs[name]), project.root.join(file));
        assert!(fs::metadata(&outputs[name]).unwrap().len() > 0, "{file}");
    }
}

/// GitHub found no file for annotations and SARIF, and arguments on a second line were dropped.
#[test]
fn the_action_names_files_from_the_repository_s_root_in_a_directory_below_it() {
    let project = Project::copy("demo", "action-below/repository");
    fs::create_dir_all(project.root.parent().unwrap().join(".git")).unwrap();
    let (stderr, outputs, summary) = run_action(&project, "--lib\n--runs 3 --\ncache\n");
    assert_eq!(stderr.matches("::error file=demo/src/cache.rs,line=").count(), 1, "{stderr}");
    assert!(summary.contains("`demo/src/cache.rs:"), "{summary}");
    let sarif = fs::read_to_string(&outputs["sarif"]).unwrap();
    assert!(sarif.contains("\"uri\": \"demo/src/cache.rs\""), "{sarif}");
    let report = fs::read_to_string(&outputs["report"]).unwrap();
    assert!(report.contains("\"runs\": 3,"), "{report}");
}
