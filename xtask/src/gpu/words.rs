//! What the GPU tests say about themselves, in lines that begin as `vk_boot::gpu_tests` has it.

use std::collections::BTreeMap;

/// Names the driver to the tests.
pub(super) const DRIVER: &str = "GPU_TESTS_DRIVER";
/// Tells the tests whether the device is known to execute nothing.
pub(super) const EXECUTES: &str = "GPU_TESTS_EXECUTES";

const SKIPPED: &str = "gpu-test skipped: ";
const WITHOUT_COPIES: &str = "gpu-test without copies: ";
const MESSAGES: &str = "gpu-test messages: ";
const FACT: &str = "gpu-test fact ";

/// What one or more runs of test programs said.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Facts about the device, by name.
    pub(super) facts: BTreeMap<String, String>,
    /// How many tests were left out, by reason.
    pub(super) skipped: BTreeMap<String, u64>,
    /// Tests that ran, but for their look at what the device copied.
    pub(super) without_copies: u64,
    /// Devices whose messages were counted, and the messages.
    pub(super) message_reports: u64,
    pub(super) messages: u64,
}

impl Said {
    /// Reads what was printed, whatever stands before the words in their lines.
    pub(super) fn of(text: &str) -> Self {
        let mut said = Self::default();
        for line in text.lines() {
            let after = |words: &str| Some(line.split_once(words)?.1.trim());
            if let Some(reason) = after(SKIPPED) {
                *said.skipped.entry(reason.to_owned()).or_default() += 1;
            } else if after(WITHOUT_COPIES).is_some() {
                said.without_copies += 1;
            } else if let Some(count) = after(MESSAGES) {
                said.message_reports += 1;
                said.messages += count.parse::<u64>().unwrap_or(1);
            } else if let Some((name, value)) = after(FACT).and_then(|fact| fact.split_once(": ")) {
                said.facts.insert(name.to_owned(), value.to_owned());
            }
        }
        said
    }

    pub(super) fn skipped_count(&self) -> u64 {
        self.skipped.values().sum()
    }

    pub(super) fn fact(&self, name: &str) -> &str {
        self.facts.get(name).map_or("?", String::as_str)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.facts.extend(other.facts);
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        self.without_copies += other.without_copies;
        self.message_reports += other.message_reports;
        self.messages += other.messages;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_tests() {
        let source = include_str!("../../boot/src/gpu_tests.rs");
        for words in [DRIVER, EXECUTES, SKIPPED, WITHOUT_COPIES, MESSAGES, FACT] {
            assert!(source.contains(&format!("\"{words}\"")), "{words}");
        }
    }

    #[test]
    fn what_tests_say_is_counted_and_added() {
        let text = "\
test a ... gpu-test skipped: it is blue
gpu-test skipped: it is blue
gpu-test without copies: 812
gpu-test messages: 0
---- b stdout ----
gpu-test messages: 3
gpu-test fact device: A: B
";
        let mut said = Said::of(text);
        assert_eq!((said.skipped_count(), said.skipped["it is blue"]), (2, 2));
        assert_eq!((said.without_copies, said.message_reports, said.messages), (1, 2, 3));
        assert_eq!((said.fact("device"), said.fact("atom")), ("A: B", "?"));
        said.add(Said::of(text));
        assert_eq!((said.skipped["it is blue"], said.messages), (4, 6));
        assert_eq!(Said::of("gpu-test messages: many").messages, 1, "no number is no silence");
        assert_eq!(Said::of(""), Said::default());
    }
}
