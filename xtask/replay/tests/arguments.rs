//! The command line.

use std::time::Duration;

use replay::{ArgumentError, Command, Extent, Import, Provenance, Replay};
use rstest::rstest;

fn parse(line: &[&str]) -> Result<Command, ArgumentError> {
    Command::parse(line.iter().map(|&argument| argument.to_owned()))
}

#[rstest]
#[case::nothing(&[], Replay::default())]
#[case::a_trace(&["--trace", "vello"], Replay { trace: "vello".into(), ..Replay::default() })]
#[case::a_device(&["--device", "RTX"], Replay { device: Some("RTX".into()), ..Replay::default() })]
#[case::no_validation(&["--no-validation"], Replay { validation: false, ..Replay::default() })]
#[case::an_extent(&["--limit", "10", "--seconds", "2"], Replay {
    extent: Extent { operations: Some(10), time: Some(Duration::from_secs(2)) },
    ..Replay::default()
})]
fn options_of_a_replay(#[case] line: &[&str], #[case] expected: Replay) {
    assert_eq!(parse(line), Ok(Command::Replay(expected)));
}

#[test]
fn an_import_has_two_paths_and_says_where_the_log_is_from() {
    let line = ["import", "a.csv", "--program", "p q", "b.trace.gz", "--recorder", "r"];
    let expected = Import {
        log: "a.csv".into(),
        out: "b.trace.gz".into(),
        provenance: Provenance { program: "p q".into(), recorder: "r".into() },
    };
    assert_eq!(parse(&line), Ok(Command::Import(expected)));
}

#[rstest]
#[case(&["--help"])]
#[case(&["-h"])]
#[case(&["import", "-h"])]
fn help_is_given(#[case] line: &[&str]) {
    assert_eq!(parse(line), Ok(Command::Help));
}

#[rstest]
#[case(&["--limits", "1"], "`--limits` is not known here; `replay --help` lists what is")]
#[case(&["bevy"], "`bevy` is not known here; `replay --help` lists what is")]
#[case(&["--limit"], "`--limit` needs a value behind it")]
#[case(&["--limit", "-1"], "`--limit` needs a whole number, not `-1`")]
#[case(&["--seconds", "1.5"], "`--seconds` needs a whole number, not `1.5`")]
#[case(&["import", "a"], "`import` needs two paths: the log and the trace to write")]
#[case(&["import", "a", "b", "c"], "`c` is not known here; `replay --help` lists what is")]
#[case(&["import", "--limit", "1"], "`--limit` is not known here; `replay --help` lists what is")]
#[case(&["import", "a", "b", "--program", "p\nq"], "the value of `--program` has more than one line")]
fn bad_command_lines_are_refused_in_one_line(#[case] line: &[&str], #[case] expected: &str) {
    assert_eq!(parse(line).map_err(|error| error.to_string()), Err(expected.to_owned()));
}
