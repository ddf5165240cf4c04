//! The compiler, the workspace, the targets and the directories, resolved from arguments and
//! environment.

use std::collections::BTreeMap;
use std::env;

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf, absolute_utf8};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::cli::CargoOptions;
use crate::util::exit_code::UsageError;
use crate::util::private_env;
use crate::workspace::c_flags;
use crate::workspace::cargo_config::CargoConfig;
use crate::workspace::rustc::Rustc;

/// The directory of this program inside the target directory.
const DIR: &str = "tracemalloc";
/// The report's file name.
const REPORT: &str = "report.json";
/// The file name of the snapshot at a program's end.
const SNAPSHOT: &str = "snapshot.json";

/// The compiler and the workspace of a run.
#[derive(Debug)]
pub struct Context {
    /// The compiler.
    pub rustc: Rustc,
    /// The workspace, with its dependencies.
    pub metadata: Metadata,
    /// Target triples to build for, at least one.
    pub triples: Vec<String>,
    /// The target directory for cargo, inside the user's.
    pub target_dir: Utf8PathBuf,
    /// The rustdoc that cargo would call.
    pub rustdoc: Utf8PathBuf,
    /// Variables with flags for C code that build scripts compile.
    pub c_flags: Vec<(String, String)>,
    /// The wrapper from the user's configuration. It goes between this program and rustc.
    pub inner_wrapper: Option<Utf8PathBuf>,
    /// The same for crates of the workspace.
    pub workspace_wrapper: Option<Utf8PathBuf>,
}

impl Context {
    /// Resolves the options.
    pub fn resolve(options: &CargoOptions) -> Result<Self> {
        if env::var_os(private_env::WRAPPER).is_some() {
            return Err(UsageError(
                "this is the environment of `cargo tracemalloc show-env`; run `cargo test` or `cargo nextest run` in it"
                    .to_owned(),
            )
            .into());
        }
        let manifest_dir = manifest_dir(options.build.manifest_path.as_deref())?;
        let config = CargoConfig::read(&options.build.config)?;
        let rustc = Rustc::find(&manifest_dir, config.rustc.as_deref())?;
        let mut triples = if options.build.target.is_empty() {
            config.targets
        } else {
            options.build.target.clone()
        };
        // Newer versions of cargo accept this name for the host.
        for triple in &mut triples {
            if *triple == "host-tuple" {
                triple.clone_from(&rustc.host);
            }
        }
        if triples.is_empty() {
            triples.push(rustc.host.clone());
        }
        let metadata = metadata(options, &rustc, &triples)?;
        let target_dir = match &options.build.target_dir {
            Some(dir) => absolute_utf8(dir)
                .with_context(|| format!("failed to resolve target directory `{dir}`"))?,
            None => metadata.target_directory.clone(),
        };
        let set = |name: &str| env::var(name).ok().or_else(|| config.env.get(name).cloned());
        let c_flags = c_flags::variables(&triples, &rustc.host, set);
        let rustdoc = config.rustdoc.unwrap_or_else(|| rustc.rustdoc.clone());
        Ok(Self {
            rustc,
            rustdoc,
            metadata,
            triples,
            c_flags,
            target_dir: target_dir.join(DIR),
            inner_wrapper: config.rustc_wrapper,
            workspace_wrapper: config.rustc_workspace_wrapper,
        })
    }

    /// The variables that are set for cargo, with the values that tests and programs must see.
    pub fn restore_env(&self) -> BTreeMap<String, Option<String>> {
        let own = private_env::SET_FOR_CARGO.into_iter();
        let names = own.chain(self.c_flags.iter().map(|(name, _)| name.as_str()));
        names.map(|name| (name.to_owned(), env::var(name).ok())).collect()
    }

    /// The report's path.
    pub fn report_path(&self) -> Utf8PathBuf {
        self.target_dir.join(REPORT)
    }

    /// The default path of the snapshot at a program's end.
    pub fn snapshot_path(&self) -> Utf8PathBuf {
        self.target_dir.join(SNAPSHOT)
    }
}

/// The directory of this program inside the workspace's target directory, without a resolution of
/// dependencies.
pub fn target_dir(manifest: Option<&Utf8Path>, given: Option<&Utf8Path>) -> Result<Utf8PathBuf> {
    let mut command = MetadataCommand::new();
    command.no_deps();
    if let Some(manifest) = manifest {
        command.manifest_path(manifest);
    }
    let dir = match given {
        Some(dir) => absolute_utf8(dir)?,
        None => command.exec().context("failed to read the workspace")?.target_directory,
    };
    Ok(dir.join(DIR))
}

/// Checks that a manifest exists.
pub fn check_manifest(path: &Utf8Path) -> Result<()> {
    if !path.is_file() {
        return Err(UsageError(format!("the manifest `{path}` does not exist")).into());
    }
    Ok(())
}

/// The directory that selects the toolchain.
fn manifest_dir(manifest_path: Option<&Utf8Path>) -> Result<Utf8PathBuf> {
    let Some(path) = manifest_path else {
        let dir = env::current_dir().context("failed to find the current directory")?;
        return Utf8PathBuf::from_path_buf(dir)
            .map_err(|dir| anyhow!("the current directory `{}` is not UTF-8", dir.display()));
    };
    check_manifest(path)?;
    let path =
        absolute_utf8(path).with_context(|| format!("failed to resolve manifest path `{path}`"))?;
    Ok(path.parent().map(Utf8Path::to_owned).unwrap_or(path))
}

fn metadata(options: &CargoOptions, rustc: &Rustc, triples: &[String]) -> Result<Metadata> {
    let mut args = options.build.resolve_args();
    args.extend(triples.iter().map(|triple| format!("--filter-platform={triple}")));
    let result = MetadataCommand::new()
        .cargo_path(&rustc.cargo)
        .env(private_env::RUSTC, &rustc.path)
        .other_options(args)
        .exec();
    result.map_err(|error| match error {
        // Cargo's message names its subject.
        cargo_metadata::Error::CargoMetadata { stderr } => {
            let text = stderr.trim_end();
            anyhow!("{}", text.strip_prefix("error: ").unwrap_or(text).to_owned())
        }
        other => anyhow!(other).context("failed to read the workspace with `cargo metadata`"),
    })
}
