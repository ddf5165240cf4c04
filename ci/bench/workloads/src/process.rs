//! A process that runs one workload: `BINARY WORKLOAD PARTS` does one of so many parts of the work.

use std::process::ExitCode;

use crate::Workload;

/// The beginning of the line with the figure. Some tools write to the same stream.
pub const FIGURE: &str = "figure: ";
/// The beginning of the line with the seconds on a processor.
pub const PROCESSOR: &str = "processor: ";

/// Starts the tracer, and runs the workload of the arguments inside of `within`, on a thread of its
/// own, as tests run.
pub fn main(start: impl FnOnce(), within: fn(&mut dyn FnMut())) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, parts] = &arguments[..] else {
        eprintln!(
            "the arguments are a workload and into how many parts it is divided, not {arguments:?}"
        );
        return ExitCode::FAILURE;
    };
    let (Some(workload), Some(parts)) =
        (Workload::named(name), parts.parse().ok().filter(|parts| *parts > 0))
    else {
        eprintln!("there is no workload {name:?}, or {parts:?} is no number of parts");
        return ExitCode::FAILURE;
    };
    start();
    let thread = std::thread::spawn(move || {
        let mut figure = None;
        within(&mut || {
            figure = Some((workload.run)(workload, workload.operations.div_ceil(parts)))
        });
        figure
    });
    match thread.join() {
        Ok(None) => {
            eprintln!("the work was not done");
            ExitCode::FAILURE
        }
        Ok(Some(figure)) => {
            println!("{FIGURE}{}\n{PROCESSOR}{}", figure.value, figure.processor);
            ExitCode::SUCCESS
        }
        // Its message was printed when it panicked.
        Err(_) => ExitCode::FAILURE,
    }
}
