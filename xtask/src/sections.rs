//! Named, timed sections of a long run, and the summary at its end.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::results::Tally;
use crate::run::Failure;

/// The sections run so far. The first that fails is the last that runs.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    done: Vec<(&'static str, Duration)>,
    failed: Option<&'static str>,
    tally: Tally,
}

impl Sections {
    /// Runs one section; the tests that it counts are added to the sum even if it fails.
    pub(crate) fn run(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&mut Tally) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        println!("\n[{name}]");
        let start = Instant::now();
        let result = body(&mut self.tally);
        self.done.push((name, start.elapsed()));
        result.map_err(|failure| {
            self.failed = Some(name);
            Failure::new(format!("section \"{name}\": {failure}"))
        })
    }

    /// The table of sections and seconds, the verdict, and the number of tests on the last line.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::from("\nsection                 seconds\n");
        let mut row = |name: &str, time: Duration, note: &str| {
            writeln!(text, "{name:<22} {:>8.1}{note}", time.as_secs_f64())
                .expect("writing to a string does not fail");
        };
        for &(name, time) in &self.done {
            row(name, time, if self.failed == Some(name) { "  FAILED" } else { "" });
        }
        row("total", self.done.iter().map(|&(_, time)| time).sum(), "");
        let verdict = match self.failed {
            Some(name) => format!("stopped at section \"{name}\""),
            None => format!("all {} sections passed", self.done.len()),
        };
        format!("{text}{verdict}\n{}\n", self.tally.line())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_lists_sections_and_ends_with_the_number_of_tests() {
        let sections = Sections {
            done: vec![
                ("format", Duration::from_millis(1_250)),
                ("tests", Duration::from_secs(61)),
            ],
            failed: None,
            tally: Tally { passed: 321, failed: 0 },
        };
        let expected = "
section                 seconds
format                      1.2
tests                      61.0
total                      62.2
all 2 sections passed
321 passed, 0 failed
";
        assert_eq!(sections.summary(), expected);
    }

    #[test]
    fn a_failed_section_is_named_and_its_tests_are_counted() {
        let mut sections = Sections::default();
        sections
            .run("good", |tally| {
                *tally += Tally { passed: 2, failed: 0 };
                Ok(())
            })
            .unwrap();
        let failure = sections
            .run("bad", |tally| {
                *tally += Tally { passed: 1, failed: 3 };
                Err(Failure::new("three tests failed"))
            })
            .unwrap_err();
        assert_eq!(failure, Failure::new("section \"bad\": three tests failed"));
        let summary = sections.summary();
        assert!(summary.contains("FAILED"), "{summary}");
        assert!(summary.ends_with("stopped at section \"bad\"\n3 passed, 3 failed\n"), "{summary}");
    }
}
