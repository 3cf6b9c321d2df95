//! The queue, its submissions and fences.
//!
//! Basic design: what is submitted stays pending, and runs when the program waits for it, on the
//! thread that waits: for its fence, for the queue, for the device, or by asking a fence. So a
//! program that reads without waiting reads old bytes every time, and one that frees what pending
//! commands use is found out. A fence that nothing will signal is a timeout at once, however long
//! the program wanted to wait.

use std::collections::BTreeSet;

use ash::vk;

use crate::command::Commands;
use crate::record::CommandState;
use crate::state::{Books, CallResult, Entered};
use crate::violation::{ObjectKind, Rule};

/// A living `VkFence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fence {
    Unsignaled,
    Pending,
    Signaled,
}

/// What one call submitted.
#[derive(Debug)]
pub(crate) struct Submission {
    command_buffers: Vec<u64>,
    commands: Vec<Commands>,
    /// The buffers and images that the commands use, and their memory.
    used: BTreeSet<(ObjectKind, u64)>,
    /// 0 for none.
    fence: u64,
}

impl Entered<'_> {
    pub(crate) fn create_fence(&mut self, is_signaled: bool, handle: u64) -> CallResult<u64> {
        self.fail_if_planted()?;
        let fence = if is_signaled { Fence::Signaled } else { Fence::Unsignaled };
        self.books.fences.insert(handle, fence);
        Ok(handle)
    }

    /// Destroys a fence; null is ignored.
    pub(crate) fn destroy_fence(&mut self, handle: u64) -> CallResult<()> {
        if handle == 0 {
            return Ok(());
        }
        self.idle_fence(handle)?;
        self.books.fences.remove(&handle);
        Ok(())
    }

    /// Resets fences; none if one is refused.
    pub(crate) fn reset_fences(&mut self, handles: &[u64]) -> CallResult<()> {
        for &handle in handles {
            self.idle_fence(handle)?;
        }
        self.fail_if_planted()?;
        for &handle in handles {
            self.books.fences.insert(handle, Fence::Unsignaled);
        }
        Ok(())
    }

    fn fence(&mut self, handle: u64) -> CallResult<Fence> {
        match self.books.fences.get(&handle) {
            Some(&fence) => Ok(fence),
            None => Err(self.unknown(ObjectKind::Fence, handle)),
        }
    }

    fn idle_fence(&mut self, handle: u64) -> CallResult<Fence> {
        match self.fence(handle)? {
            Fence::Pending => Err(self.refuse(Rule::InUse { kind: ObjectKind::Fence, handle })),
            fence => Ok(fence),
        }
    }

    /// Whether the fence is signalled, after all that it waits for has run.
    pub(crate) fn fence_status(&mut self, handle: u64) -> CallResult<vk::Result> {
        self.fence(handle)?;
        self.fail_if_planted()?;
        self.run_until(handle)?;
        Ok(match self.fence(handle)? {
            Fence::Signaled => vk::Result::SUCCESS,
            Fence::Unsignaled | Fence::Pending => vk::Result::NOT_READY,
        })
    }

    /// Waits for all fences, or for any.
    pub(crate) fn wait_for_fences(&mut self, handles: &[u64], all: bool) -> CallResult<vk::Result> {
        for &handle in handles {
            self.fence(handle)?;
        }
        self.fail_if_planted()?;
        for &handle in handles {
            self.run_until(handle)?;
        }
        let is_signaled = |handle| self.books.fences.get(handle) == Some(&Fence::Signaled);
        let is_done =
            if all { handles.iter().all(is_signaled) } else { handles.iter().any(is_signaled) };
        Ok(if is_done { vk::Result::SUCCESS } else { vk::Result::TIMEOUT })
    }

    /// Submits command buffers with a fence, 0 for none; nothing if one is refused.
    pub(crate) fn submit(&mut self, command_buffers: &[u64], fence: u64) -> CallResult<()> {
        if fence != 0 && self.idle_fence(fence)? == Fence::Signaled {
            return Err(self.refuse(Rule::FenceSignaled { fence }));
        }
        let mut submission = Submission {
            command_buffers: command_buffers.to_vec(),
            commands: Vec::with_capacity(command_buffers.len()),
            used: BTreeSet::new(),
            fence,
        };
        for &handle in command_buffers {
            let commands = self.executable(handle)?;
            self.books.note_used(&commands, &mut submission.used);
            submission.commands.push(commands);
        }
        self.fail_if_planted()?;
        for &handle in command_buffers {
            // Once for each submission that is pending, so far below 2^32.
            self.command_buffer(handle)?.pending_count += 1;
        }
        if fence != 0 {
            self.books.fences.insert(fence, Fence::Pending);
        }
        self.books.pending.push_back(submission);
        Ok(())
    }

    /// The commands of a command buffer that may be submitted.
    fn executable(&mut self, handle: u64) -> CallResult<Commands> {
        let command_buffer = self.command_buffer(handle)?;
        let commands = command_buffer.commands.clone();
        let may_be_pending =
            command_buffer.usage.contains(vk::CommandBufferUsageFlags::SIMULTANEOUS_USE);
        let state = if command_buffer.pending_count > 0 && !may_be_pending {
            CommandState::Pending
        } else {
            command_buffer.state
        };
        let state = match state {
            CommandState::Executable if !self.books.can_run(&commands) => CommandState::Invalid,
            CommandState::Executable => return Ok(commands),
            state => state,
        };
        Err(self.refuse(Rule::WrongState { command_buffer: handle, state }))
    }

    /// Runs everything that is pending.
    pub(crate) fn wait_idle(&mut self) -> CallResult<()> {
        self.fail_if_planted()?;
        while !self.books.pending.is_empty() {
            self.run_next()?;
        }
        Ok(())
    }

    /// Runs what is pending up to the submission that signals a fence, if one does.
    fn run_until(&mut self, fence: u64) -> CallResult<()> {
        while self.books.fences.get(&fence) == Some(&Fence::Pending) {
            self.run_next()?;
        }
        Ok(())
    }

    fn run_next(&mut self) -> CallResult<()> {
        let Some(submission) = self.books.pending.pop_front() else {
            return Ok(());
        };
        let mut result = Ok(());
        for command in submission.commands.iter().flat_map(|commands| commands.iter()) {
            if self.books.run(command).is_none() {
                result = Err(vk::Result::ERROR_OUT_OF_HOST_MEMORY);
            }
        }
        for handle in &submission.command_buffers {
            let command_buffer = self.books.command_buffers.get_mut(handle);
            let command_buffer = command_buffer.expect("a pending command buffer cannot be freed");
            command_buffer.pending_count -= 1;
            if command_buffer.usage.contains(vk::CommandBufferUsageFlags::ONE_TIME_SUBMIT) {
                command_buffer.state = CommandState::Invalid;
            }
        }
        if submission.fence != 0 {
            self.books.fences.insert(submission.fence, Fence::Signaled);
        }
        result
    }

    /// Refuses what pending commands use.
    pub(crate) fn refuse_in_use(&mut self, kind: ObjectKind, handle: u64) -> CallResult<()> {
        let is_used =
            self.books.pending.iter().any(|submission| submission.used.contains(&(kind, handle)));
        if is_used {
            return Err(self.refuse(Rule::InUse { kind, handle }));
        }
        Ok(())
    }
}

impl Books {
    /// Whether everything that the commands use still lives and has memory.
    fn can_run(&mut self, commands: &Commands) -> bool {
        commands.iter().flat_map(|command| command.resources()).all(|(kind, handle)| {
            let resource = self.resources(kind).get(&handle).copied();
            resource.is_some_and(|resource| self.has_memory(&resource))
        })
    }

    /// Adds what the commands use, and its memory.
    fn note_used(&mut self, commands: &Commands, used: &mut BTreeSet<(ObjectKind, u64)>) {
        for (kind, handle) in commands.iter().flat_map(|command| command.resources()) {
            used.insert((kind, handle));
            let resource = self.resources(kind).get(&handle);
            if let Some((memory, _)) = resource.and_then(|resource| resource.bound) {
                used.insert((ObjectKind::Memory, memory));
            }
        }
    }
}
