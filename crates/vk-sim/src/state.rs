//! The state of one simulated device, and how a call enters it.
//!
//! Basic design: instance, physical device and device are one [`State`], whose address is the
//! value of all three handles, so each function finds its device without anything global. A call
//! enters through [`State::enter`], which takes the lock, logs the call and asks the planted
//! failures; what it then does is in `memory`, `map`, `resource` and `bind`, safe code all of it.
//!
//! The locks are parking_lot's, as they can be compiled with a sanitizer, which those of std are not.
//!
//! A call that breaks a rule is recorded and has no effect. It returns
//! `VK_ERROR_VALIDATION_FAILED_EXT`, or, at a limit, the error a driver has for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use ash::vk;
use parking_lot::{Mutex, MutexGuard};

use crate::call::Call;
use crate::config::DriverConfig;
use crate::failure::{Failures, Subject};
use crate::heap::Heap;
use crate::objects::{Memory, Resource};
use crate::pace::Pace;
use crate::queue::{Fence, Submission};
use crate::real::Real;
use crate::record::{CommandBuffer, CommandHeader, CommandPool};
use crate::violation::{ObjectKind, Rule, Violation};

/// Devices so far: each has handles of its own, so that a stranger's is known as one.
static DEVICE_COUNT: AtomicU64 = AtomicU64::new(0);

/// One instance, physical device and device.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: DriverConfig,
    books: Mutex<Books>,
    next_handle: AtomicU64,
    pub(crate) pace: Pace,
    /// The driver under the books, in an overlay.
    pub(crate) real: Option<Real>,
}

/// What changes.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) calls: Vec<Call>,
    pub(crate) failures: Failures,
    pub(crate) violations: Vec<Violation>,
    pub(crate) lints: Vec<Violation>,
    pub(crate) memories: BTreeMap<u64, Memory>,
    pub(crate) buffers: BTreeMap<u64, Resource>,
    pub(crate) images: BTreeMap<u64, Resource>,
    pub(crate) heaps: Vec<Heap>,
    /// Device addresses below it are or were in use.
    pub(crate) next_address: u64,
    pub(crate) pools: BTreeMap<u64, CommandPool>,
    pub(crate) command_buffers: BTreeMap<u64, CommandBuffer>,
    pub(crate) fences: BTreeMap<u64, Fence>,
    /// What was submitted and not waited for, in order.
    pub(crate) pending: VecDeque<Submission>,
    /// What command buffer handles point to; kept, so that a stale handle is known as one.
    #[expect(clippy::vec_box, reason = "handles are their addresses, which must not change")]
    pub(crate) headers: Vec<Box<CommandHeader>>,
    pub(crate) device_is_destroyed: bool,
    pub(crate) instance_is_destroyed: bool,
}

impl State {
    pub(crate) fn new(config: DriverConfig, real: Option<Real>) -> Self {
        let device_number = DEVICE_COUNT.fetch_add(1, Ordering::Relaxed);
        let books = Books {
            calls: Vec::new(),
            failures: Failures::default(),
            violations: Vec::new(),
            lints: Vec::new(),
            memories: BTreeMap::new(),
            buffers: BTreeMap::new(),
            images: BTreeMap::new(),
            heaps: config.heaps(),
            next_address: 1 << 32,
            pools: BTreeMap::new(),
            command_buffers: BTreeMap::new(),
            fences: BTreeMap::new(),
            pending: VecDeque::new(),
            headers: Vec::new(),
            device_is_destroyed: false,
            instance_is_destroyed: false,
        };
        // 2^40 handles for each of 2^24 devices; never 0, which is the null handle.
        let next_handle = AtomicU64::new((device_number << 40) | 1);
        Self { config, books: Mutex::new(books), next_handle, pace: Pace::default(), real }
    }

    /// A handle that no object of any device has or had.
    pub(crate) fn new_handle(&self) -> u64 {
        self.next_handle.fetch_add(1, Ordering::Relaxed)
    }

    /// A look at the books, outside any call.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        // Not poisoned by panics: one in a test's own thread must not hide what the books say.
        self.books.lock()
    }

    /// Begins a call of a function of the device.
    ///
    /// # Errors
    ///
    /// `VK_ERROR_VALIDATION_FAILED_EXT` if the device is destroyed.
    pub(crate) fn enter(&self, call: Call) -> CallResult<Entered<'_>> {
        self.enter_about(call, About::Nothing)
    }

    /// Begins a call of a function of the device that asks for memory.
    ///
    /// # Errors
    ///
    /// `VK_ERROR_VALIDATION_FAILED_EXT` if the device is destroyed.
    pub(crate) fn enter_about(&self, call: Call, about: About) -> CallResult<Entered<'_>> {
        let mut entered = self.begin(call, about);
        if entered.books.device_is_destroyed {
            return Err(entered.refuse(Rule::DeviceDestroyed));
        }
        Ok(entered)
    }

    /// Begins a call of a function of the instance or of the physical device.
    pub(crate) fn enter_instance(&self, call: Call) -> Entered<'_> {
        self.begin(call, About::Nothing)
    }

    fn begin(&self, call: Call, about: About) -> Entered<'_> {
        self.pace.before(call);
        let mut books = self.books();
        books.calls.push(call);
        let planted = if books.failures.is_empty() {
            None
        } else {
            let subject = books.subject(&self.config, about);
            books.failures.on_call(call, &subject)
        };
        Entered { config: &self.config, books, call, planted }
    }
}

/// What a call is about, as far as failures by rule look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About {
    Nothing,
    /// So many bytes.
    Size(u64),
    /// So many bytes of a memory type.
    Allocation {
        size: u64,
        memory_type_index: u32,
    },
    /// An allocation, by its raw handle.
    Memory(u64),
}

/// What a Vulkan function returns.
pub(crate) type CallResult<T> = Result<T, vk::Result>;

/// A call on its way, which has the books to itself.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    pub(crate) config: &'a DriverConfig,
    pub(crate) books: MutexGuard<'a, Books>,
    call: Call,
    planted: Option<vk::Result>,
}

impl Entered<'_> {
    /// Records a breach; the error to return.
    pub(crate) fn refuse(&mut self, rule: Rule) -> vk::Result {
        self.record(rule);
        vk::Result::ERROR_VALIDATION_FAILED_EXT
    }

    /// Records a breach or a lint.
    pub(crate) fn record(&mut self, rule: Rule) {
        let violation = Violation { call: self.call, rule };
        if rule.is_lint() {
            self.books.lints.push(violation);
        } else {
            self.books.violations.push(violation);
        }
    }

    /// To be asked once the call's valid usage is checked and before anything changes.
    ///
    /// # Errors
    ///
    /// What a planted failure says.
    pub(crate) fn fail_if_planted(&self) -> CallResult<()> {
        self.planted.map_or(Ok(()), Err)
    }

    pub(crate) fn unknown(&mut self, kind: ObjectKind, handle: u64) -> vk::Result {
        self.refuse(Rule::UnknownHandle { kind, handle })
    }

    /// A buffer or an image.
    ///
    /// # Errors
    ///
    /// Refused if it is not there.
    pub(crate) fn resource(&mut self, kind: ObjectKind, handle: u64) -> CallResult<Resource> {
        match self.books.resources(kind).get(&handle) {
            Some(resource) => Ok(*resource),
            None => Err(self.unknown(kind, handle)),
        }
    }

    /// `vkDestroyDevice`: names what was left behind.
    pub(crate) fn destroy_device(&mut self) {
        let books = &self.books;
        let leaks: Vec<_> = (books.buffers.keys().map(|&handle| (ObjectKind::Buffer, handle)))
            .chain(books.images.keys().map(|&handle| (ObjectKind::Image, handle)))
            .chain(books.pools.keys().map(|&handle| (ObjectKind::CommandPool, handle)))
            .chain(books.fences.keys().map(|&handle| (ObjectKind::Fence, handle)))
            .chain(books.memories.keys().map(|&handle| (ObjectKind::Memory, handle)))
            .collect();
        for (kind, handle) in leaks {
            self.record(Rule::Leak { kind, handle });
        }
        self.books.device_is_destroyed = true;
    }

    /// `vkDestroyInstance`.
    pub(crate) fn destroy_instance(&mut self) {
        if !self.books.device_is_destroyed {
            self.record(Rule::Leak { kind: ObjectKind::Device, handle: 0 });
        }
        self.books.instance_is_destroyed = true;
    }
}

impl Books {
    /// What a call is about, in numbers; what does not exist has none.
    fn subject(&self, config: &DriverConfig, about: About) -> Subject {
        let (size, memory_type_index) = match about {
            About::Nothing => return Subject::default(),
            About::Size(size) => return Subject { size: Some(size), ..Subject::default() },
            About::Allocation { size, memory_type_index } => (size, memory_type_index),
            About::Memory(handle) => match self.memories.get(&handle) {
                Some(memory) => (memory.request.size, memory.request.memory_type_index),
                None => return Subject::default(),
            },
        };
        let memory_type = usize::try_from(memory_type_index)
            .ok()
            .and_then(|index| config.memory_types.get(index));
        Subject {
            size: Some(size),
            memory_type_index: Some(memory_type_index),
            heap_index: memory_type.map(|&(_, heap_index)| heap_index),
        }
    }

    /// The living buffers, or the living images.
    pub(crate) fn resources(&mut self, kind: ObjectKind) -> &mut BTreeMap<u64, Resource> {
        match kind {
            ObjectKind::Image => &mut self.images,
            _ => &mut self.buffers,
        }
    }
}
