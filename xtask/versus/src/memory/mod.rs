//! Group `memory`: whole allocators on one simulated driver, by what they take from it.

mod facade;
mod figures;
mod fixed;
mod gauge;
mod mixes;
mod play;
mod program;
mod shadow;
mod slow;
mod tables;
mod together;

use std::path::Path;

use self::facade::{Ours, Policy, Vma};
use self::figures::{Figures, PEER, Result as Compared};
use self::program::Program;
use crate::arguments::Arguments;
use crate::core_group::tell;
use crate::{pin, replay as clock_replay};

/// Replays in which each step is timed.
const RUNS: usize = 9;
const QUICK_RUNS: usize = 3;
/// Runs of what several threads do.
const THREAD_RUNS: usize = 5;
const QUICK_THREAD_RUNS: usize = 1;
/// Mixes in fixed blocks.
const MIXES: usize = 16;
const QUICK_MIXES: usize = 4;

/// Plays the chosen traces and mixes, or all, and prints what they took.
///
/// # Errors
///
/// A name that is neither in the lists nor a file; a trace that cannot be read; a peer that refused a
/// step, placed it wrongly or used the driver wrongly. Nothing is printed then but what was before.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    if let Some(name) = arguments.peers.iter().find(|name| *name != PEER) {
        return Err(format!("no such peer: {name}; there is {PEER}"));
    }
    let runs = arguments.runs.unwrap_or(if arguments.quick { QUICK_RUNS } else { RUNS });
    let is_chosen =
        |name| arguments.cases.is_empty() || arguments.cases.iter().any(|case| case == name);
    let programs = chosen(&arguments.cases)?;
    let cores = pin::cores();
    let core = pin::to_one_core();
    if !arguments.json {
        print!("{}", heading(runs, core));
    }
    let mut compared = Vec::new();
    for program in programs {
        let result = compare(program, runs)?;
        tell("");
        if arguments.json {
            figures::rows(&result).iter().for_each(|row| println!("{}", row.json()));
        } else {
            print!("{}", tables::program(&result));
        }
        compared.push(result);
    }
    let mut rows = figures::summary(&compared);
    if is_chosen(fixed::NAME) {
        let mix_count = if arguments.quick { QUICK_MIXES } else { MIXES };
        let (ours, vma) = fixed::run(mix_count, &mut tell)?;
        rows.extend(figures::fixed_rows(ours, vma));
        tell("");
    }
    let thread_runs = if arguments.quick { QUICK_THREAD_RUNS } else { THREAD_RUNS };
    pin::to_cores(&cores);
    if is_chosen(together::NAME) {
        rows.extend(together::run(thread_runs, &mut tell)?);
        tell("");
    }
    if is_chosen(slow::NAME) {
        rows.extend(slow::run(thread_runs, &mut tell)?);
        tell("");
    }
    if arguments.json {
        rows.iter().for_each(|row| println!("{}", row.json()));
    } else {
        print!("{}", tables::summary(&compared, &rows));
    }
    Ok(())
}

/// Plays a program on both: once watched, and timed in turns.
fn compare(program: Program, runs: usize) -> Result<Compared, String> {
    let name = program.name.as_str();
    let blame = |peer: &str, error: String| format!("{name}: {peer}: {error}");
    tell(&format!("{name}: what the driver sees"));
    let policy = Policy::Default;
    let ours = play::watch::<Ours>(&program, policy).map_err(|error| blame("ours", error))?;
    let vma = play::watch::<Vma>(&program, policy).map_err(|error| blame(PEER, error))?;
    let (mut fastest, mut fastest_vma) = (Vec::new(), Vec::new());
    for run in 0..runs {
        tell(&format!("{name}: timing, run {} of {runs}", run + 1));
        for turn in 0..2 {
            if (run + turn) % 2 == 0 {
                play::time::<Ours>(&program, policy, &mut fastest)?;
            } else {
                play::time::<Vma>(&program, policy, &mut fastest_vma)?;
            }
        }
    }
    let overhead = clock_replay::clock_overhead();
    Ok(Compared {
        ours: Figures::of(&ours, &fastest, overhead),
        vma: Figures::of(&vma, &fastest_vma, overhead),
        seen: [ours, vma],
        program,
    })
}

/// The programs of these names or paths; all that are shared, if none is given.
fn chosen(cases: &[String]) -> Result<Vec<Program>, String> {
    let folder = replay::folder();
    if cases.is_empty() {
        let traces = replay::names(&folder);
        if traces.is_empty() {
            return Err(format!("no traces in {}", folder.display()));
        }
        let names = traces.iter().map(String::as_str).chain(mixes::DEFAULT);
        return names.map(|name| load(&folder, name)).collect();
    }
    let named = [fixed::NAME, together::NAME, slow::NAME];
    let cases = cases.iter().filter(|case| !named.contains(&case.as_str()));
    cases.map(|case| load(&folder, case)).collect()
}

/// A mix, a trace of the folder, or a file: in the format of the traces, or the log that it is made of.
fn load(folder: &Path, name: &str) -> Result<Program, String> {
    if let Some(program) = mixes::find(name) {
        return Ok(program);
    }
    let path = replay::find(folder, name);
    if !path.is_file() {
        let traces = replay::names(folder);
        let known = traces.iter().map(String::as_str);
        let known: Vec<_> = known.chain(mixes::DEFAULT).chain(mixes::OTHERS).collect();
        let known = known.join(", ");
        return Err(format!("no such case or file: {name}; there are {known}, {}", fixed::NAME));
    }
    let blame = |error: replay::TraceError| format!("{}: {error}", path.display());
    let text = replay::read_text(&path).map_err(blame)?;
    // A log begins with a remark on the device, which no trace does.
    let trace = match text.starts_with('#') {
        true => replay::import(&text, replay::Provenance::default()),
        false => replay::decode(&text),
    };
    let name = replay::name_of(&path).trim_end_matches(".gz").trim_end_matches(".csv");
    Program::of_trace(name, &trace.map_err(blame)?)
}

fn heading(runs: usize, core: Option<usize>) -> String {
    let place = core.map_or("not pinned".to_owned(), |core| format!("pinned to core {core}"));
    format!(
        "group memory: gpu-alloc-ash beside VMA 3.3 through vk-mem, both as they come, on one simulated\n\
         driver with the memory table of the recorded device and the same memory type for each request\n\
         committed bytes and calls of vkAllocateMemory are the driver's own count; every answer was checked\n\
         mean: without the first twentieth of the steps; late: in the last four fifths\n\
         worst op: least time of each step in {runs} replays, then the largest, driver calls taken out; {place}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_traces_are_all_played_when_none_is_chosen() {
        let programs = chosen(&[]).expect("the traces are shared");
        let count = replay::names(&replay::folder()).len() + mixes::DEFAULT.len();
        assert_eq!(programs.len(), count);
    }

    #[test]
    fn a_file_may_be_given_and_what_is_not_there_is_named() {
        let path = replay::folder().join(format!("egui-lavapipe22{}", replay::EXTENSION));
        let by_path = load(&replay::folder(), &path.display().to_string()).expect("it is there");
        let by_name = load(&replay::folder(), "egui-lavapipe22").expect("it is there");
        assert_eq!(by_path.steps, by_name.steps);
        assert_eq!(by_path.name, "egui-lavapipe22");
        let refusal = load(&replay::folder(), "nothing").expect_err("it is not there");
        assert!(refusal.contains("nothing") && refusal.contains("churn-texture"), "{refusal}");
    }

    #[test]
    fn a_recorded_program_is_served_by_both() {
        let program = load(&replay::folder(), "egui-lavapipe22").expect("it is there");
        let result = compare(program, 1).expect("both serve it");
        for figures in [&result.ours, &result.vma] {
            assert!(figures.peak_committed >= figures.mean_committed);
            assert!(figures.driver_calls > 0.0 && figures.worst_op > 0.0);
        }
    }
}
