//! Reads what `cargo test` prints: how many tests ran, which one, and under which heading.
//!
//! Nothing here takes silence for success: text in which no result is found counts zero tests, and
//! the callers refuse zero.

use std::ops::AddAssign;

/// Numbers of tests by result.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// Sums every `test result:` line of the text.
    pub(crate) fn of(text: &str) -> Self {
        let mut sum = Self::default();
        for line in text.lines() {
            sum += Self::of_line(line).unwrap_or_default();
        }
        sum
    }

    fn of_line(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("test result: ")?;
        let (_verdict, counts) = rest.split_once(". ")?;
        let count = |label: &str| {
            counts.split("; ").find_map(|part| part.strip_suffix(label)?.trim().parse().ok())
        };
        Some(Self { passed: count(" passed")?, failed: count(" failed")? })
    }

    /// The line that ends a report: `12 passed, 0 failed`.
    pub(crate) fn line(self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// What became of one test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No test of that name ran: there is none, or it was left out or ignored.
    NotRun,
    Passed,
    Failed,
}

/// Looks for the test whose path ends in `name`.
///
/// The text must come from a run without `--nocapture`, which would tear the lines apart.
pub(crate) fn verdict_of(text: &str, name: &str) -> Verdict {
    let mut verdict = Verdict::NotRun;
    for line in text.lines() {
        let Some((path, result)) =
            line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
        else {
            continue;
        };
        if path.rsplit("::").next() != Some(name) {
            continue;
        }
        match result {
            "ok" if verdict == Verdict::NotRun => verdict = Verdict::Passed,
            "ok" => {}
            _ if result.starts_with("ignored") => {}
            _ => verdict = Verdict::Failed,
        }
    }
    verdict
}

/// The paths of the tests that failed, in the order of running.
pub(crate) fn failed_tests(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .collect()
}

/// The doc tests of each library, by the name under which rustdoc knows it (`buddy_core`).
pub(crate) fn doc_tests(text: &str) -> Vec<(String, Tally)> {
    let mut libraries: Vec<(String, Tally)> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.trim_start().strip_prefix("Doc-tests ") {
            libraries.push((name.trim().to_owned(), Tally::default()));
        } else if let (Some(tally), Some((_, sum))) = (Tally::of_line(line), libraries.last_mut()) {
            *sum += tally;
        }
    }
    libraries
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from cargo 1.95, `cargo test --tests --no-fail-fast`, both streams.
    const TWO_PROGRAMS: &str = "\
   Compiling sample v0.1.0 (/tmp/sample)
    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.23s
     Running unittests src/lib.rs (target/debug/deps/sample-e6daf73c296d6df0)

running 3 tests
test tests::needs_a_device ... ignored, needs Vulkan: cargo xtask test-gpu
test tests::adds ... ok
test tests::wraps - should panic ... ok

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/it.rs (target/debug/deps/it-4b221586d8d4eec4)

running 2 tests
test merges ... ok
test splits ... FAILED

failures:

---- splits stdout ----

thread 'splits' (28237) panicked at tests/it.rs:4:5:
assertion failed: false
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace


failures:
    splits

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

error: test failed, to rerun pass `--test it`
error: 1 target failed:
    `--test it`
";

    /// Recorded from cargo 1.95, `cargo test --doc`: a library whose doc tests run merged and in a
    /// program of their own, and one without any.
    const DOC_TESTS: &str = "\
   Doc-tests sample

running 2 tests
test src/lib.rs - add (line 5) ... ok
test src/lib.rs - (line 1) ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s


running 1 test
test src/lib.rs - add (line 9) - compile fail ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s

all doctests ran in 0.18s; merged doctests compilation took 0.14s
   Doc-tests vk_sim

running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

";

    #[test]
    fn results_are_summed_over_all_programs() {
        assert_eq!(Tally::of(TWO_PROGRAMS), Tally { passed: 3, failed: 1 });
        assert_eq!(Tally::of(TWO_PROGRAMS).line(), "3 passed, 1 failed");
    }

    #[test]
    fn text_without_results_counts_nothing() {
        assert_eq!(Tally::of(""), Tally::default());
        assert_eq!(Tally::of("error: no test target named `gpu`\n"), Tally::default());
        assert_eq!(Tally::of("test result: ok. many passed; 0 failed;"), Tally::default());
        assert_eq!(Tally::of("said: test result: ok. 2 passed; 0 failed; x"), Tally::default());
    }

    #[test]
    fn one_test_is_found_by_the_last_part_of_its_path() {
        assert_eq!(verdict_of(TWO_PROGRAMS, "adds"), Verdict::Passed);
        assert_eq!(verdict_of(TWO_PROGRAMS, "merges"), Verdict::Passed);
        assert_eq!(verdict_of(TWO_PROGRAMS, "splits"), Verdict::Failed);
        assert_eq!(verdict_of(TWO_PROGRAMS, "needs_a_device"), Verdict::NotRun);
        assert_eq!(verdict_of(TWO_PROGRAMS, "add"), Verdict::NotRun);
        assert_eq!(verdict_of("", "adds"), Verdict::NotRun);
    }

    #[test]
    fn a_failure_outweighs_a_pass_of_the_same_name() {
        let twice = "test a::same ... ok\ntest b::same ... FAILED\ntest c::same ... ok\n";
        assert_eq!(verdict_of(twice, "same"), Verdict::Failed);
    }

    #[test]
    fn failed_tests_are_listed() {
        assert_eq!(failed_tests(TWO_PROGRAMS), ["splits"]);
        assert_eq!(failed_tests(DOC_TESTS), [""; 0]);
    }

    #[test]
    fn doc_tests_are_counted_for_each_library() {
        let expected = [
            ("sample".to_owned(), Tally { passed: 3, failed: 0 }),
            ("vk_sim".to_owned(), Tally::default()),
        ];
        assert_eq!(doc_tests(DOC_TESTS), expected);
        assert_eq!(doc_tests(TWO_PROGRAMS), []);
    }
}
