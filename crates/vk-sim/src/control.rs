//! What a test can do to the driver: make calls fail, wait or be watched, and move budgets.

use std::sync::Arc;
use std::time::Duration;

use ash::vk;

use crate::call::Call;
use crate::driver::SimDriver;
use crate::failure::{Failure, RandomFailure, Scope};
use crate::heap::Heap;

impl SimDriver {
    /// Plants a failure.
    ///
    /// # Panics
    ///
    /// If no function that it matches may return its error, see [`Call::errors`].
    pub fn fail(&self, failure: Failure) {
        self.fail_within(failure, Scope::default());
    }

    /// Plants a failure for calls that ask for certain memory.
    ///
    /// ```
    /// use ash::vk;
    /// use vk_sim::{Call, DriverConfig, Failure, Scope, SimDriver};
    ///
    /// let driver = SimDriver::new(DriverConfig::default())?;
    /// let failure = Failure::every(Call::AllocateMemory, vk::Result::ERROR_OUT_OF_DEVICE_MEMORY);
    /// driver.fail_within(failure, Scope { min_size: 1 << 20, ..Scope::default() });
    /// let allocate = |size| {
    ///     let info = vk::MemoryAllocateInfo::default().allocation_size(size);
    ///     // SAFETY: the driver lives.
    ///     unsafe { driver.device().allocate_memory(&info, None) }
    /// };
    /// assert!(allocate(1 << 19).is_ok());
    /// assert!(allocate(1 << 20).is_err());
    /// # Ok::<(), vk_sim::ConfigError>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If no function that it matches may return its error, see [`Call::errors`].
    pub fn fail_within(&self, failure: Failure, scope: Scope) {
        let is_possible = self.state.books().failures.plant(failure, scope);
        assert!(is_possible, "no function may return that error: {failure:?}");
    }

    /// Plants a failure that strikes at random.
    ///
    /// # Panics
    ///
    /// If no function that it matches may return its error, see [`Call::errors`].
    pub fn fail_randomly(&self, failure: RandomFailure) {
        let is_possible = self.state.books().failures.plant_random(failure);
        assert!(is_possible, "no function may return that error: {failure:?}");
    }

    /// Plants [`Failure::nth`].
    ///
    /// # Panics
    ///
    /// If `n` is 0, or no function may return `result`.
    pub fn fail_nth(&self, n: u64, result: vk::Result) {
        self.fail(Failure::nth(n, result));
    }

    /// Plants [`Failure::nth_of`].
    ///
    /// # Panics
    ///
    /// If `n` is 0, or `call` may not return `result`.
    pub fn fail_nth_of(&self, call: Call, n: u64, result: vk::Result) {
        self.fail(Failure::nth_of(call, n, result));
    }

    /// Takes all planted failures away.
    pub fn clear_failures(&self) {
        self.state.books().failures.clear();
    }

    /// How many calls met a planted failure.
    #[must_use]
    pub fn fired_failure_count(&self) -> u64 {
        self.state.books().failures.fired_count
    }

    /// Makes each call of `call` take at least that long, from the next on; zero for no delay.
    ///
    /// The calling thread sleeps before the call begins; others go on.
    pub fn set_delay(&self, call: Call, delay: Duration) {
        self.state.pace.set_delay(call, delay);
    }

    /// Calls `hook` with each call before it begins, on the thread that makes it and with no lock
    /// held, so that a test can hold a thread inside `vkAllocateMemory` and go on with another.
    ///
    /// The hook may use the driver. It must not panic: the caller is a C function, out of which
    /// nothing can unwind, so the process ends.
    pub fn set_hook(&self, hook: impl Fn(Call) + Send + Sync + 'static) {
        self.state.pace.set_hook(Some(Arc::new(hook)));
    }

    /// Takes the hook away; a call that is in it stays there.
    pub fn clear_hook(&self) {
        self.state.pace.set_hook(None);
    }

    /// Sets the budget that the driver reports for a heap, in bytes; `None`: what others leave.
    ///
    /// It limits nothing, as on a real driver; what passes it is a lint.
    ///
    /// # Panics
    ///
    /// If the device has no such heap.
    pub fn set_heap_budget(&self, heap_index: u32, budget: Option<u64>) {
        self.with_heap(heap_index, |heap| heap.budget = budget);
    }

    /// Sets how many bytes of a heap other processes take, which this one cannot have.
    ///
    /// What is allocated already stays, also when both together pass the heap's size.
    ///
    /// # Panics
    ///
    /// If the device has no such heap.
    pub fn set_other_usage(&self, heap_index: u32, bytes: u64) {
        self.with_heap(heap_index, |heap| heap.other_bytes = bytes);
    }

    fn with_heap(&self, heap_index: u32, change: impl FnOnce(&mut Heap)) {
        let mut books = self.state.books();
        let index = usize::try_from(heap_index).unwrap_or(usize::MAX);
        let count = books.heaps.len();
        let heap = books.heaps.get_mut(index);
        change(heap.unwrap_or_else(|| panic!("heap {heap_index} of {count}")));
    }
}
