//! Failures by rule: which call fails, and with which error.
//!
//! Basic design: a failure counts the calls it matches, from the moment it is planted, and fails
//! those whose number lies in its window. Each call is shown to all planted failures, so that their
//! counts do not depend on one another; the one planted first has its say.

use ash::vk;

use crate::call::Call;

/// A rule that makes calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which function fails; `None`: each function that may return `result`.
    pub call: Option<Call>,
    /// How many matching calls come through before.
    pub skip: u64,
    /// How many calls fail after these; `u64::MAX` for all.
    pub count: u64,
    /// The error that is returned. The call has no effect.
    pub result: vk::Result,
}

impl Failure {
    /// The `n`-th call from now, of whatever function may return `result`, fails.
    ///
    /// # Panics
    ///
    /// If `n` is 0: the next call is number 1.
    #[must_use]
    pub fn nth(n: u64, result: vk::Result) -> Self {
        let skip = n.checked_sub(1).expect("calls are numbered from 1");
        Self { call: None, skip, count: 1, result }
    }

    /// The `n`-th call of `call` from now fails.
    ///
    /// # Panics
    ///
    /// If `n` is 0: the next call is number 1.
    #[must_use]
    pub fn nth_of(call: Call, n: u64, result: vk::Result) -> Self {
        Self { call: Some(call), ..Self::nth(n, result) }
    }

    /// Each call of `call` fails from now on.
    #[must_use]
    pub fn every(call: Call, result: vk::Result) -> Self {
        Self { call: Some(call), skip: 0, count: u64::MAX, result }
    }

    /// Whether some function it matches may return its error.
    pub(crate) fn is_possible(&self) -> bool {
        Call::ALL.iter().any(|&call| self.matches(call))
    }

    fn matches(&self, call: Call) -> bool {
        self.call.is_none_or(|wanted| wanted == call) && call.errors().contains(&self.result)
    }
}

/// The failures that are planted.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// Each with the number of calls it has matched.
    planted: Vec<(Failure, u64)>,
    /// How many calls were made to fail.
    pub(crate) fired_count: u64,
}

impl Failures {
    pub(crate) fn plant(&mut self, failure: Failure) {
        self.planted.push((failure, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.planted.clear();
    }

    /// Shows a call to every failure; the error it has to return, if any.
    pub(crate) fn on_call(&mut self, call: Call) -> Option<vk::Result> {
        let mut result = None;
        for (failure, seen) in &mut self.planted {
            if !failure.matches(call) {
                continue;
            }
            // `seen` counts calls of a running program, so it cannot reach 2^64.
            *seen += 1;
            let is_due = *seen > failure.skip && *seen - failure.skip <= failure.count;
            if is_due && result.is_none() {
                result = Some(failure.result);
            }
        }
        self.planted.retain(|(failure, seen)| {
            seen.checked_sub(failure.skip).is_none_or(|fired| fired < failure.count)
        });
        self.fired_count += u64::from(result.is_some());
        result
    }
}
