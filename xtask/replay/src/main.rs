//! The program: boots a device, replays a trace, prints what it showed.

mod device;
mod progress;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use replay::{Command, HELP, Import, NotEmpty, Outcome, Replay, ReplayError, Report, Trace};
use vk_boot::{Boot, Message};

use crate::device::{Session, open};
use crate::progress::Progress;

/// Something was wrong, or could not be done.
const FAILED: u8 = 1;

/// There is no Vulkan device.
const NO_VULKAN: u8 = 2;

/// Validation messages that are printed in full; the rest is counted.
const MESSAGES_SHOWN: usize = 10;

fn main() -> ExitCode {
    let result = match Command::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => print(HELP),
        Ok(Command::Replay(options)) => run_replay(&options),
        Ok(Command::Import(options)) => run_import(&options),
        Err(error) => Err(Failure::new(error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("replay: {}", failure.line);
            ExitCode::from(failure.code)
        }
    }
}

/// One line for people, and the exit code.
struct Failure {
    line: String,
    code: u8,
}

impl Failure {
    fn new(error: impl ToString) -> Self {
        Self { line: error.to_string(), code: FAILED }
    }
}

fn run_replay(options: &Replay) -> Result<(), Failure> {
    let path = replay::find(&replay::folder(), &options.trace);
    let trace = read_trace(&path)?;
    let boot = device::boot(options)
        .map_err(|error| Failure { line: error.to_string(), code: NO_VULKAN })?;
    let machine = device::machine(&boot, options.validation);
    let Played { outcome, not_empty, messages } = play(boot, options, &trace)?;
    if let Ok(outcome) = &outcome {
        let report = Report {
            trace_name: replay::name_of(&path),
            trace: &trace,
            machine: &machine,
            outcome,
            not_empty: not_empty.as_ref(),
            message_count: messages.len(),
        };
        print(&report.to_string())?;
    }
    for message in messages.iter().take(MESSAGES_SHOWN) {
        eprintln!("{message}");
    }
    outcome.map_err(Failure::new)?;
    match (not_empty, messages.len()) {
        (Some(rest), _) => Err(Failure::new(rest)),
        (None, 0) => Ok(()),
        (None, count) => Err(Failure::new(format_args!("validation messages: {count}"))),
    }
}

fn read_trace(path: &Path) -> Result<Trace, Failure> {
    replay::read(path).map_err(|error| {
        let known = replay::names(&replay::folder()).join(", ");
        Failure::new(format_args!(
            "{}: {error}; the traces that come with it are {known}",
            path.display()
        ))
    })
}

/// A replay, and what came to light when the allocator and the device were destroyed after it.
struct Played {
    outcome: Result<Outcome, ReplayError>,
    not_empty: Option<NotEmpty>,
    messages: Vec<Message>,
}

fn play(boot: Boot, options: &Replay, trace: &Trace) -> Result<Played, Failure> {
    let Session { allocator, limits } = open(&boot).map_err(Failure::new)?;
    let mut progress = Progress::new(trace, options.extent);
    let heard = &mut |operations| progress.set(operations);
    // SAFETY: 1. `open` read the limits from the device that it made the allocator for.
    let outcome = unsafe { replay::replay(&allocator, &limits, trace, options.extent, heard) };
    progress.finish();
    Ok(Played { outcome, not_empty: replay::close(allocator).err(), messages: boot.finish() })
}

fn run_import(options: &Import) -> Result<(), Failure> {
    let in_log = |error| Failure::new(format_args!("{}: {error}", options.log));
    let text = replay::read_text(Path::new(&*options.log)).map_err(in_log)?;
    let trace = replay::import(&text, options.provenance.clone()).map_err(in_log)?;
    let bytes = replay::write(Path::new(&*options.out), &trace)
        .map_err(|error| Failure::new(format_args!("{}: {error}", options.out)))?;
    print(&format!(
        "{}: {} operations, {} allocations in {} classes, {bytes} bytes\n",
        options.out,
        trace.operations().len(),
        trace.allocation_count(),
        trace.classes().len(),
    ))
}

/// Prints to standard output, which may be closed already.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(format_args!("standard output: {error}")))
}
