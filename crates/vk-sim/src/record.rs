//! Command pools, and the life of a command buffer.
//!
//! Basic design: a command buffer's handle is the address of a small header that names the device
//! and never goes away while the driver lives, so that a freed command buffer is known as one. What
//! the command buffer holds is in the books, by the same number.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use ash::vk;

use crate::command::{Command, Commands};
use crate::state::{CallResult, Entered, State};
use crate::violation::{ObjectKind, Rule};

/// What a command buffer's handle points to.
#[derive(Debug)]
pub(crate) struct CommandHeader {
    /// The handle of the device, which is its state's address.
    pub(crate) device: vk::Device,
}

/// A living `VkCommandPool`.
#[derive(Debug)]
pub(crate) struct CommandPool {
    flags: vk::CommandPoolCreateFlags,
    command_buffers: BTreeSet<u64>,
}

/// A living `VkCommandBuffer`.
#[derive(Debug)]
pub(crate) struct CommandBuffer {
    pool: u64,
    pub(crate) state: CommandState,
    pub(crate) usage: vk::CommandBufferUsageFlags,
    /// How many submissions of it have not been waited for.
    pub(crate) pending_count: u32,
    pub(crate) commands: Commands,
}

/// The states of a command buffer, as in the specification's section on their life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name is Vulkan's")]
pub enum CommandState {
    Initial,
    Recording,
    Executable,
    Pending,
    Invalid,
}

impl fmt::Display for CommandState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initial => "not begun",
            Self::Recording => "being recorded",
            Self::Executable => "ended",
            Self::Pending => "pending",
            Self::Invalid => "invalid",
        })
    }
}

impl CommandBuffer {
    /// The state, which is pending as long as a submission is.
    fn current(&self) -> CommandState {
        if self.pending_count > 0 { CommandState::Pending } else { self.state }
    }

    fn reset(&mut self) {
        self.state = CommandState::Initial;
        self.commands = Arc::default();
    }
}

impl Entered<'_> {
    pub(crate) fn create_command_pool(
        &mut self,
        flags: vk::CommandPoolCreateFlags,
        family_index: u32,
        handle: u64,
    ) -> CallResult<u64> {
        if family_index != 0 {
            let member = "queueFamilyIndex";
            return Err(self.refuse(Rule::QueueOutOfRange { member, value: family_index }));
        }
        self.fail_if_planted()?;
        let pool = CommandPool { flags, command_buffers: BTreeSet::new() };
        self.books.pools.insert(handle, pool);
        Ok(handle)
    }

    /// Destroys a pool with its command buffers; null is ignored.
    pub(crate) fn destroy_command_pool(&mut self, handle: u64) -> CallResult<()> {
        if handle == 0 {
            return Ok(());
        }
        for command_buffer in self.idle_pool(handle)? {
            self.books.command_buffers.remove(&command_buffer);
        }
        self.books.pools.remove(&handle);
        Ok(())
    }

    pub(crate) fn reset_command_pool(&mut self, handle: u64) -> CallResult<()> {
        let command_buffers = self.idle_pool(handle)?;
        self.fail_if_planted()?;
        for command_buffer in command_buffers {
            if let Some(command_buffer) = self.books.command_buffers.get_mut(&command_buffer) {
                command_buffer.reset();
            }
        }
        Ok(())
    }

    /// The command buffers of a pool, none of which is pending.
    fn idle_pool(&mut self, handle: u64) -> CallResult<BTreeSet<u64>> {
        let Some(pool) = self.books.pools.get(&handle) else {
            return Err(self.unknown(ObjectKind::CommandPool, handle));
        };
        let command_buffers = pool.command_buffers.clone();
        for &handle in &command_buffers {
            self.refuse_pending(handle)?;
        }
        Ok(command_buffers)
    }

    fn refuse_pending(&mut self, handle: u64) -> CallResult<()> {
        let is_pending =
            self.books.command_buffers.get(&handle).is_some_and(|buffer| buffer.pending_count > 0);
        if is_pending {
            return Err(self.refuse(Rule::InUse { kind: ObjectKind::CommandBuffer, handle }));
        }
        Ok(())
    }

    /// Makes command buffers; their raw handles.
    pub(crate) fn allocate_command_buffers(
        &mut self,
        state: &State,
        pool_handle: u64,
        count: u32,
    ) -> CallResult<Vec<u64>> {
        if !self.books.pools.contains_key(&pool_handle) {
            return Err(self.unknown(ObjectKind::CommandPool, pool_handle));
        }
        self.fail_if_planted()?;
        let handles = (0..count).map(|_| self.new_command_buffer(state, pool_handle)).collect();
        Ok(handles)
    }

    fn new_command_buffer(&mut self, state: &State, pool_handle: u64) -> u64 {
        let header = Box::new(CommandHeader { device: crate::ffi::handle_of(state) });
        let handle = crate::ffi::address_of(&*header);
        self.books.headers.push(header);
        let command_buffer = CommandBuffer {
            pool: pool_handle,
            state: CommandState::Initial,
            usage: vk::CommandBufferUsageFlags::empty(),
            pending_count: 0,
            commands: Arc::default(),
        };
        self.books.command_buffers.insert(handle, command_buffer);
        let pool = self.books.pools.get_mut(&pool_handle);
        pool.expect("found by the caller, under the lock").command_buffers.insert(handle);
        handle
    }

    /// Frees command buffers, of which null ones are ignored; none if one is refused.
    pub(crate) fn free_command_buffers(&mut self, pool: u64, handles: &[u64]) -> CallResult<()> {
        let Some(owned) = self.books.pools.get(&pool) else {
            return Err(self.unknown(ObjectKind::CommandPool, pool));
        };
        let foreign =
            handles.iter().find(|&&handle| handle != 0 && !owned.command_buffers.contains(&handle));
        if let Some(&handle) = foreign {
            return Err(self.unknown(ObjectKind::CommandBuffer, handle));
        }
        for &handle in handles {
            self.refuse_pending(handle)?;
        }
        for handle in handles {
            self.books.command_buffers.remove(handle);
            let pool = self.books.pools.get_mut(&pool).expect("found above, under the lock");
            pool.command_buffers.remove(handle);
        }
        Ok(())
    }

    /// The command buffer.
    ///
    /// # Errors
    ///
    /// Refused if it is not there.
    pub(crate) fn command_buffer(&mut self, handle: u64) -> CallResult<&mut CommandBuffer> {
        if !self.books.command_buffers.contains_key(&handle) {
            return Err(self.unknown(ObjectKind::CommandBuffer, handle));
        }
        let command_buffer = self.books.command_buffers.get_mut(&handle);
        Ok(command_buffer.expect("found above, under the lock"))
    }

    /// Begins to record; a command buffer that was recorded before is reset, if its pool allows it.
    pub(crate) fn begin_command_buffer(
        &mut self,
        handle: u64,
        usage: vk::CommandBufferUsageFlags,
    ) -> CallResult<()> {
        let command_buffer = self.command_buffer(handle)?;
        let (state, pool) = (command_buffer.current(), command_buffer.pool);
        match state {
            CommandState::Initial => {}
            CommandState::Recording | CommandState::Pending => {
                return Err(self.refuse(Rule::WrongState { command_buffer: handle, state }));
            }
            CommandState::Executable | CommandState::Invalid => {
                self.refuse_single_reset(handle, pool)?;
            }
        }
        self.fail_if_planted()?;
        let command_buffer = self.command_buffer(handle)?;
        command_buffer.reset();
        command_buffer.state = CommandState::Recording;
        command_buffer.usage = usage;
        Ok(())
    }

    fn refuse_single_reset(&mut self, command_buffer: u64, pool: u64) -> CallResult<()> {
        let flag = vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER;
        if self.books.pools.get(&pool).is_some_and(|pool| pool.flags.contains(flag)) {
            return Ok(());
        }
        Err(self.refuse(Rule::NoSingleReset { command_buffer, pool }))
    }

    pub(crate) fn end_command_buffer(&mut self, handle: u64) -> CallResult<()> {
        self.recording(handle)?;
        self.fail_if_planted()?;
        self.command_buffer(handle)?.state = CommandState::Executable;
        Ok(())
    }

    pub(crate) fn reset_command_buffer(&mut self, handle: u64) -> CallResult<()> {
        let pool = self.command_buffer(handle)?.pool;
        self.refuse_single_reset(handle, pool)?;
        self.refuse_pending(handle)?;
        self.fail_if_planted()?;
        self.command_buffer(handle)?.reset();
        Ok(())
    }

    /// Refuses a command buffer that is not being recorded.
    pub(crate) fn recording(&mut self, handle: u64) -> CallResult<()> {
        let state = self.command_buffer(handle)?.current();
        if state != CommandState::Recording {
            return Err(self.refuse(Rule::WrongState { command_buffer: handle, state }));
        }
        Ok(())
    }

    /// Puts a command, which was checked, into a command buffer that is being recorded.
    pub(crate) fn push(&mut self, handle: u64, command: Command) -> CallResult<()> {
        // Not shared: no submission is pending while it is being recorded.
        Arc::make_mut(&mut self.command_buffer(handle)?.commands).push(command);
        Ok(())
    }
}
