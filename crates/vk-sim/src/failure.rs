//! Failures by rule: which call fails, and with which error.
//!
//! Basic design: a failure counts the calls it matches, from the moment it is planted, and fails
//! those whose number lies in its window; a random one draws a number for each instead. Each call
//! is shown to all planted failures, so that their counts do not depend on one another; the one
//! planted first has its say.

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
}

/// Which calls a failure is about, by what they ask for.
///
/// `vkAllocateMemory` and `vkMapMemory` have a size, a memory type and a heap (a mapping those of
/// its memory), `vkCreateBuffer` has a size; other calls match the default only, which is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Calls about at least so many bytes; 0 for all.
    pub min_size: u64,
    /// Calls about this memory type.
    pub memory_type_index: Option<u32>,
    /// Calls about this heap.
    pub heap_index: Option<u32>,
}

/// A rule that makes calls fail at random, the same ones for the same seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomFailure {
    /// Which function fails; `None`: every one that can.
    pub call: Option<Call>,
    /// The error; `None`: any that the function may return, at random too.
    pub result: Option<vk::Result>,
    /// How many of a million calls fail on average.
    pub per_million: u32,
    /// What the numbers are drawn from.
    pub seed: u64,
}

/// What a call asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subject {
    pub(crate) size: Option<u64>,
    pub(crate) memory_type_index: Option<u32>,
    pub(crate) heap_index: Option<u32>,
}

impl Scope {
    fn contains(&self, subject: &Subject) -> bool {
        let is = |wanted: Option<u32>, index| wanted.is_none() || wanted == index;
        (self.min_size == 0 || subject.size.is_some_and(|size| size >= self.min_size))
            && is(self.memory_type_index, subject.memory_type_index)
            && is(self.heap_index, subject.heap_index)
    }
}

#[derive(Clone, Copy, Debug)]
struct Planted {
    call: Option<Call>,
    /// `None`: any that the function may return.
    result: Option<vk::Result>,
    scope: Scope,
    when: When,
}

#[derive(Clone, Copy, Debug)]
enum When {
    /// `seen` calls have matched so far.
    Window { skip: u64, count: u64, seen: u64 },
    /// The state that the next number is drawn from.
    Random { per_million: u32, state: u64 },
}

impl Planted {
    fn matches(&self, call: Call) -> bool {
        self.call.is_none_or(|wanted| wanted == call)
            && match self.result {
                Some(result) => call.errors().contains(&result),
                None => call.is_fallible(),
            }
    }

    /// Counts a call that matches; the error if it is due.
    fn draw(&mut self, call: Call) -> Option<vk::Result> {
        let (is_due, random) = match &mut self.when {
            When::Window { skip, count, seen } => {
                // It counts calls of a running program, so it cannot reach 2^64.
                *seen += 1;
                (*seen > *skip && *seen - *skip <= *count, 0)
            }
            When::Random { per_million, state } => {
                let is_due = next_random(state) % 1_000_000 < u64::from(*per_million);
                (is_due, next_random(state))
            }
        };
        let errors = call.errors();
        let any = || {
            let count = u64::try_from(errors.len()).ok()?;
            errors.get(usize::try_from(random.checked_rem(count)?).ok()?).copied()
        };
        if is_due { self.result.or_else(any) } else { None }
    }

    fn is_spent(&self) -> bool {
        match self.when {
            When::Window { skip, count, seen } => {
                seen.checked_sub(skip).is_some_and(|fired| fired >= count)
            }
            When::Random { .. } => false,
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): every state is as good as any other.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The failures that are planted.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    planted: Vec<Planted>,
    /// How many calls were made to fail.
    pub(crate) fired_count: u64,
}

impl Failures {
    /// Plants a failure; `false` if no function that it matches may return its error.
    pub(crate) fn plant(&mut self, failure: Failure, scope: Scope) -> bool {
        let Failure { call, skip, count, result } = failure;
        let when = When::Window { skip, count, seen: 0 };
        self.push(Planted { call, result: Some(result), scope, when })
    }

    /// Plants a random failure; `false` if no function that it matches may return its error.
    pub(crate) fn plant_random(&mut self, failure: RandomFailure) -> bool {
        let RandomFailure { call, result, per_million, seed } = failure;
        let when = When::Random { per_million, state: seed };
        self.push(Planted { call, result, scope: Scope::default(), when })
    }

    fn push(&mut self, planted: Planted) -> bool {
        let is_possible = Call::ALL.iter().any(|&call| planted.matches(call));
        if is_possible {
            self.planted.push(planted);
        }
        is_possible
    }

    pub(crate) fn clear(&mut self) {
        self.planted.clear();
    }

    /// Whether no failure is planted, so that nobody asks what a call is about.
    pub(crate) fn is_empty(&self) -> bool {
        self.planted.is_empty()
    }

    /// Shows a call to every failure; the error it has to return, if any.
    pub(crate) fn on_call(&mut self, call: Call, subject: &Subject) -> Option<vk::Result> {
        let mut result = None;
        for planted in &mut self.planted {
            if planted.matches(call) && planted.scope.contains(subject) {
                let drawn = planted.draw(call);
                result = result.or(drawn);
            }
        }
        self.planted.retain(|planted| !planted.is_spent());
        self.fired_count += u64::from(result.is_some());
        result
    }
}
