//! Finds the hints of leaks. A hint that may be wrong is left out.

use std::cell::LazyCell;

use cargo_metadata::Metadata;
use tracemalloc::internal::function_name;
use tracemalloc_harness::{HolderKind, Prefix, StepEntry};

use crate::cli::Deny;
use crate::report::collection_calls::removes_nothing;
use crate::report::document::Target;
use crate::report::hint::{Hint, HintKind};
use crate::report::kind::Kind;
use crate::report::leak::{Leak, LeakKind};
use crate::report::owner_calls::giver;
use crate::report::paths::path_prefixes;
use crate::report::program_calls::ProgramCalls;
use crate::report::task_cell::running_task;
use crate::report::thread_packet::is_thread_packet;

/// Adds hints to the leaks that fail.
pub fn add_hints(leaks: &mut [Leak], targets: &[Target], deny: &[Deny], metadata: &Metadata) {
    let prefixes = path_prefixes(metadata);
    // The leaks of one target come from one program.
    for target in targets {
        let program = LazyCell::new(|| ProgramCalls::read(target.executable.as_deref()?));
        for leak in leaks.iter_mut().filter(|leak| leak.fails(deny)) {
            if is_of(leak, target) {
                let code = || if target.is_optimised { None } else { program.as_ref() };
                leak.hints = hints(leak, code, &prefixes);
            }
        }
    }
}

/// Whether the most telling test of a leak is of this target.
fn is_of(leak: &Leak, target: &Target) -> bool {
    leak.tests.first().is_some_and(|test| {
        (test.package.as_str(), test.kind, &test.target)
            == (target.package.as_str(), target.kind, &target.name)
    })
}

fn hints<'a>(
    leak: &Leak,
    program: impl Fn() -> Option<&'a ProgramCalls>,
    prefixes: &[Prefix],
) -> Vec<Hint> {
    let text = match leak.kind {
        LeakKind::Cycle => strong_cycle(leak).map(|text| (HintKind::StrongCycle, text)),
        LeakKind::Lost => program()
            .and_then(|program| given_up(leak, program, prefixes))
            .map(|text| (HintKind::GivenUp, text)),
        LeakKind::Held => thread_not_joined(leak)
            .or_else(|| task_not_joined(leak))
            .map(|text| (HintKind::NotJoined, text))
            .or_else(|| Some((HintKind::OnlyInserted, only_inserted(leak, program()?)?))),
        LeakKind::Grown => None,
    };
    text.into_iter().map(|(kind, text)| Hint { kind, text }).collect()
}

/// A cycle whose pointers to `Rc` and `Arc` blocks are all strong. Names the last of them.
fn strong_cycle(leak: &Leak) -> Option<String> {
    let steps = &leak.cycle;
    if steps.len() != leak.cycle_steps as usize {
        return None;
    }
    let is_counted = |step: &StepEntry| {
        step.type_name
            .as_deref()
            .is_some_and(|name| name.starts_with("Rc<") || name.starts_with("Arc<"))
    };
    if steps.iter().any(|step| is_counted(step) && step.strong == 0) {
        return None;
    }
    // The first step is the oldest, so a pointer back to it closes the cycle.
    let back = (0..steps.len()).rev().find(|from| is_counted(&steps[(from + 1) % steps.len()]))?;
    let (from, to) = (&steps[back], &steps[(back + 1) % steps.len()]);
    let place = |step: &StepEntry| match (&step.file, step.line) {
        (Some(file), Some(line)) => format!(" ({file}:{line})"),
        _ => String::new(),
    };
    let name = from.type_name.as_deref().unwrap_or("memory");
    let pointer = match &from.field {
        Some(field) => format!("`{field}` of {name}{}", place(from)),
        None => format!(
            "the pointer in {name}{} to {}{}",
            place(from),
            to.type_name.as_deref()?,
            place(to)
        ),
    };
    Some(format!("all pointers of this cycle are strong; {pointer} could be a `Weak`"))
}

/// A lost owner that a function on its way gives up.
fn given_up(leak: &Leak, program: &ProgramCalls, prefixes: &[Prefix]) -> Option<String> {
    let type_name = leak.type_name.as_deref()?;
    let site = leak.sites.first()?;
    let giver = giver(program, type_name, &site.traceback)?;
    let (file, line) = program.place(&giver.caller)?;
    let file = Prefix::shorten(&file, prefixes);
    let of = binary(leak);
    let no_taker = match giver.keeps_inside {
        true => format!("no code of {of} drops it or takes it out"),
        false => format!("no `from_raw` of {of} takes it back"),
    };
    Some(format!("`{}` at {file}:{line} gives it up, and {no_taker}", giver.function))
}

/// A collection of a static that no code of the program takes anything from.
fn only_inserted(leak: &Leak, program: &ProgramCalls) -> Option<String> {
    let holder = leak.holder.as_ref().filter(|holder| !holder.known)?;
    if !matches!(holder.kind, HolderKind::Static | HolderKind::ThreadLocal)
        || leak.path.len() != leak.path_steps as usize
    {
        return None;
    }
    // A new block belongs to what points to it; a block that became larger is the collection's.
    let is_new = leak.sites.first().is_some_and(|site| site.blocks > 0) && leak.path.len() > 1;
    let step = leak.path.len().checked_sub(1 + usize::from(is_new))?;
    let collection = &of_node(leak.path[step].type_name.as_deref()?);
    removes_nothing(program, collection).then(|| {
        format!("no code of {} removes from its `{collection}`; it only inserts", binary(leak))
    })
}

/// The words for the binary whose code shows a hint.
fn binary(leak: &Leak) -> &'static str {
    match leak.tests.first() {
        Some(test) if test.kind == Kind::Program => "this program",
        _ => "this test binary",
    }
}

/// The tree that a node is of; any other type as it is.
fn of_node(type_name: &str) -> String {
    let inside = |node: &str| type_name.strip_prefix(node)?.strip_suffix(">>");
    let Some(parts) = inside("Box<LeafNode<").or_else(|| inside("Box<InternalNode<")) else {
        return type_name.to_owned();
    };
    match parts.strip_suffix(", SetValZST") {
        Some(element) => format!("BTreeSet<{element}>"),
        None => format!("BTreeMap<{parts}>"),
    }
}

/// A task that each run starts anew, and that its runtime still has to run.
fn task_not_joined(leak: &Leak) -> Option<String> {
    let task = running_task(&leak.path).filter(|_| leak.path.len() == leak.path_steps as usize)?;
    let is_new = leak
        .sites
        .iter()
        .any(|site| site.blocks > 0 && site.type_name == leak.path[leak.path.len() - 1].type_name);
    is_new.then(|| {
        format!("each run spawns a task (`{task}`) that is not joined or aborted and has not ended")
    })
}

/// A thread that each run starts anew, and that still runs at its end.
fn thread_not_joined(leak: &Leak) -> Option<String> {
    let holder = leak.holder.as_ref().filter(|holder| !holder.known)?;
    let start = holder.start.as_deref()?;
    if !matches!(holder.kind, HolderKind::Stack | HolderKind::Register | HolderKind::ThreadLocal) {
        return None;
    }
    let starts_one = leak
        .sites
        .iter()
        .any(|site| site.blocks > 0 && is_thread_packet(site.type_name.as_deref()));
    let start = function_name::pretty(start);
    starts_one.then(|| {
        format!("each run starts a thread (`{start}`) that is not joined and still runs at its end")
    })
}
