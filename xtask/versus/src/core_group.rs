//! Group `core`: allocators of offsets in one region.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::arguments::Arguments;
use crate::contest::{self, Bout, Contestants, Effort, Outcome, Standing};
use crate::peers::{self, Peer, planted};
use crate::pin;
use crate::report;
use crate::singles;
use crate::workloads;

const GROUP: &str = "core";

const FULL: Effort = Effort {
    runs: 9,
    pairs: 200_000,
    cut: Duration::from_millis(250),
    verify: Duration::from_millis(2_000),
    cut_worst: Duration::from_millis(1_000),
};

const QUICK: Effort = Effort {
    runs: 3,
    pairs: 50_000,
    cut: Duration::from_millis(50),
    verify: Duration::from_millis(700),
    cut_worst: Duration::from_millis(250),
};

/// Runs the chosen cases with the chosen peers, and prints what came of it.
///
/// # Errors
///
/// A name that is not in the lists, a planted fault that was not found (then nothing is run), or
/// wrong answers; the figures of the others are printed before the last.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let (trials, names): (Vec<_>, Vec<_>) =
        arguments.cases.iter().cloned().partition(|name| singles::NAMES.contains(&name.as_str()));
    // Trials alone leave no other case.
    let choices = if names.is_empty() && !trials.is_empty() { vec![] } else { choices(&names)? };
    let trials = if arguments.cases.is_empty() {
        singles::NAMES.to_vec()
    } else {
        singles::NAMES.into_iter().filter(|name| trials.iter().any(|trial| trial == name)).collect()
    };
    let peers = peers::all();
    let names: Vec<_> = peers.iter().map(|peer| peer.name).collect();
    let peer_names = chosen(&arguments.peers, &names, "peer")?;
    let theirs: Vec<_> = peers.into_iter().filter(|p| peer_names.contains(&p.name)).collect();
    planted::prove()
        .map_err(|fault| format!("the planted fault \"{fault}\" was not found: nothing is run"))?;
    let mut effort = if arguments.quick { QUICK } else { FULL };
    effort.runs = arguments.runs.unwrap_or(effort.runs);

    let contestants = Contestants { ours: peers::ours(), harness: peers::null(), theirs };
    let core = pin::to_one_core();
    if !arguments.json {
        print!("{}", heading(&contestants, effort, core));
    }
    let bouts = choices
        .into_iter()
        .filter_map(|(name, ours)| Some(Bout { case: workloads::core(name, effort.pairs)?, ours }));
    let outcomes = contest::run(&contestants, bouts.collect(), effort, &mut tell);
    tell("");
    print(arguments.json, &outcomes);
    wrong_answers(&outcomes)?;
    for name in trials {
        let trial = singles::run(GROUP, name, effort.pairs / 50, &mut tell);
        let trial = trial.expect("all names are those of trials")?;
        tell("");
        if arguments.json {
            trial.rows.iter().for_each(|row| println!("{}", row.json()));
        } else {
            print!("{}", trial.table);
        }
    }
    Ok(())
}

/// A case, and which of ours run it.
type Choice = (&'static str, Vec<&'static str>);

/// The cases that were chosen: a case's own name stands for all of ours that run it, that of a row for one.
fn choices(names: &[String]) -> Result<Vec<Choice>, String> {
    let is_meant = |name: &String, case, ours: &&str| {
        *name == case || *name == workloads::row_name(ours, case)
    };
    let is_known = |name: &String| {
        workloads::core_names().any(|(case, ours)| ours.iter().any(|by| is_meant(name, case, by)))
    };
    if let Some(name) = names.iter().find(|name| !is_known(name)) {
        let all: Vec<_> = workloads::core_names().map(|(case, _)| case).collect();
        let (all, trials) = (all.join(", "), singles::NAMES.join(", "));
        return Err(format!(
            "no such case: {name}; there are {all}, those of several of ours also as rows are \
             called, and {trials}"
        ));
    }
    let runs =
        |case, by: &&str| names.is_empty() || names.iter().any(|name| is_meant(name, case, by));
    let chosen = workloads::core_names()
        .map(|(case, ours)| (case, ours.iter().copied().filter(|by| runs(case, by)).collect()));
    Ok(chosen.filter(|(_, ours): &Choice| !ours.is_empty()).collect())
}

/// The names that were chosen, in the order of the list; all, if none were.
pub(crate) fn chosen(
    names: &[String],
    all: &[&'static str],
    what: &str,
) -> Result<Vec<&'static str>, String> {
    if let Some(name) = names.iter().find(|name| !all.contains(&name.as_str())) {
        return Err(format!("no such {what}: {name}; there are {}", all.join(", ")));
    }
    let is_chosen = |name: &&&str| names.is_empty() || names.iter().any(|n| n == **name);
    Ok(all.iter().filter(is_chosen).copied().collect())
}

fn heading(contestants: &Contestants, effort: Effort, core: Option<usize>) -> String {
    let place = core.map_or("not pinned".to_owned(), |core| format!("pinned to core {core}"));
    let mut text = format!(
        "group {GROUP}: {} runs, peers in turns, {place}; medians, ratios are ours / theirs\n\
         times are those that the thread computed; a pair is an allocation and its release\n\
         refused: allocations that found no place\n\
         the 5 planted faults were found by the verification\n\n",
        effort.runs
    );
    let line = |peer: &Peer| format!("  {:<30} {}\n", peer.name, peer.note);
    text.extend(contestants.ours.iter().chain(&contestants.theirs).map(line));
    text
}

/// Overwrites the last remark on standard error, if that is a terminal.
pub(crate) fn tell(remark: &str) {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        // A terminal that cannot be written to is no reason to stop measuring.
        let _ = write!(stderr, "\r\x1b[K{remark}").and_then(|()| stderr.flush());
    }
}

fn print(json: bool, outcomes: &[Outcome]) {
    let growth = report::growth_rows(GROUP, outcomes);
    if !json {
        for outcome in outcomes {
            print!("{}", report::table(GROUP, outcome));
        }
        print!("{}", report::growth_table(&growth));
        return;
    }
    for outcome in outcomes {
        for row in report::rows(GROUP, outcome) {
            println!("{}", row.json());
        }
        for entry in &outcome.theirs {
            if let Standing::LeftOut(reason) = &entry.standing {
                eprintln!("{}: {} is left out: {reason}", outcome.case.name, entry.peer);
            }
        }
    }
    for row in growth {
        println!("{}", row.json());
    }
}

fn wrong_answers(outcomes: &[Outcome]) -> Result<(), String> {
    let wrong: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| outcome.entries().map(|entry| (outcome.case.name, entry)))
        .filter_map(|(case, entry)| match &entry.standing {
            Standing::Wrong(fault) => Some(format!("{} in {case}: {fault}", entry.peer)),
            _ => None,
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("wrong answers\n{}", wrong.join("\n"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_stands_for_all_of_ours_that_run_it_and_the_name_of_a_row_for_one() {
        let chosen = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            choices(&names)
        };
        let all = vec!["buddy-core", "tlsf", "two-tier"];
        assert_eq!(chosen(&["fill"]).unwrap(), [("fill", all.clone())]);
        assert_eq!(
            chosen(&["two-tier/fill", "tlsf/lifo", "tlsf/fill"]).unwrap(),
            [("lifo", vec!["tlsf"]), ("fill", vec!["tlsf", "two-tier"])]
        );
        assert_eq!(chosen(&["linear-ring"]).unwrap(), [("linear-ring", vec!["linear"])]);
        assert!(chosen(&["tlsf/none"]).unwrap_err().contains("no such case: tlsf/none"));
        assert!(chosen(&["tlsf/linear-ring"]).is_err());
    }

    #[test]
    fn all_cases_are_run_by_some_of_ours_and_each_of_ours_runs_some() {
        let all = choices(&[]).unwrap();
        assert_eq!(all.len(), workloads::core_names().count());
        let names: Vec<_> = peers::ours().iter().map(|peer| peer.name).collect();
        assert!(all.iter().flat_map(|(_, ours)| ours).all(|by| names.contains(by)));
        assert!(names.iter().all(|name| all.iter().any(|(_, ours)| ours.contains(name))));
    }

    #[test]
    fn chosen_names_keep_the_order_of_the_list_and_unknown_ones_are_named() {
        let all = ["a", "b", "c"];
        assert_eq!(chosen(&[], &all, "case").unwrap(), all);
        assert_eq!(chosen(&["c".into(), "a".into()], &all, "case").unwrap(), ["a", "c"]);
        let refusal = chosen(&["d".into()], &all, "case").unwrap_err();
        assert_eq!(refusal, "no such case: d; there are a, b, c");
    }
}
