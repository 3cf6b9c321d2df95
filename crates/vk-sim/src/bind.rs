//! Binding memory to buffers and images, and buffer device addresses.

use ash::vk;

use crate::objects::Span;
use crate::state::{CallResult, Entered};
use crate::violation::{ObjectKind, Rule};

impl Entered<'_> {
    /// Binds each `(resource, memory, offset)` in turn, the driver's part by `bind` with its index;
    /// those before a refused one stay bound.
    pub(crate) fn bind(
        &mut self,
        kind: ObjectKind,
        binds: &[(u64, u64, u64)],
        bind: impl Fn(usize) -> CallResult<()>,
    ) -> CallResult<()> {
        self.fail_if_planted_after_checks(kind, binds)?;
        for (index, &(handle, memory_handle, offset)) in binds.iter().enumerate() {
            self.check_bind(kind, handle, memory_handle, offset)?;
            bind(index)?;
            let resource = self.books.resources(kind).get_mut(&handle);
            let resource = resource.expect("found by the check, under the lock");
            resource.bound = Some((memory_handle, offset));
            let span =
                Span { size: resource.requirements.size, is_linear: resource.form.is_linear() };
            self.lint_neighbours(memory_handle, (offset, kind, handle), span);
            let memory = self.books.memories.get_mut(&memory_handle);
            let memory = memory.expect("found by the check, under the lock");
            memory.bound.insert((offset, kind, handle), span);
        }
        Ok(())
    }

    /// A planted failure has no effect, but breaches come first here as everywhere.
    fn fail_if_planted_after_checks(
        &mut self,
        kind: ObjectKind,
        binds: &[(u64, u64, u64)],
    ) -> CallResult<()> {
        if let Err(result) = self.fail_if_planted() {
            for &(handle, memory_handle, offset) in binds {
                self.check_bind(kind, handle, memory_handle, offset)?;
            }
            return Err(result);
        }
        Ok(())
    }

    fn check_bind(
        &mut self,
        kind: ObjectKind,
        handle: u64,
        memory_handle: u64,
        offset: u64,
    ) -> CallResult<()> {
        let resource = self.resource(kind, handle)?;
        let Some(memory) = self.books.memories.get(&memory_handle) else {
            return Err(self.unknown(ObjectKind::Memory, memory_handle));
        };
        let memory_size = memory.request.size;
        let memory_type_index = memory.request.memory_type_index;
        let dedicated = memory.dedicated();
        let has_address_flag =
            memory.request.flags.contains(vk::MemoryAllocateFlags::DEVICE_ADDRESS);
        let required = resource.requirements.size;
        let memory_type_bits = resource.requirements.memory_type_bits;
        let rule = if resource.bound.is_some() {
            Rule::BoundTwice { kind, handle }
        } else if offset >= memory_size {
            Rule::BindOffset { kind, offset, memory_size }
        } else if memory_type_bits & (1 << memory_type_index) == 0 {
            Rule::BindMemoryType { kind, memory_type_index, memory_type_bits }
        } else if !offset.is_multiple_of(resource.requirements.alignment) {
            Rule::BindAlignment { kind, offset, alignment: resource.requirements.alignment }
        } else if required > memory_size - offset {
            // `offset < memory_size` was checked above.
            Rule::BindSize { kind, offset, required, memory_size }
        } else if resource.requirements.requires_dedicated && dedicated != Some((kind, handle)) {
            Rule::BindNotDedicated { kind, handle }
        } else if dedicated.is_some_and(|owner| owner != (kind, handle) || offset != 0) {
            Rule::BindDedicatedElsewhere { kind, handle, offset }
        } else if resource.form.has_device_address() && !has_address_flag {
            Rule::MissingDeviceAddressFlag { buffer: handle, memory: memory_handle }
        } else {
            return Ok(());
        };
        Err(self.refuse(rule))
    }

    /// The address of a buffer on the device.
    ///
    /// A real driver's is asked by `address`; without one it is `None`.
    pub(crate) fn buffer_device_address(
        &mut self,
        handle: u64,
        address: impl FnOnce() -> Option<u64>,
    ) -> CallResult<u64> {
        let buffer = self.resource(ObjectKind::Buffer, handle)?;
        if !buffer.form.has_device_address() {
            return Err(self.refuse(Rule::AddressWithoutUsage { buffer: handle }));
        }
        // Freed memory counts as none: the buffer cannot be used any more.
        let bound = buffer
            .bound
            .and_then(|(memory, offset)| Some((self.books.memories.get(&memory)?, offset)));
        match bound {
            // Both within the device addresses that the memory was given.
            Some((memory, offset)) => Ok(address().unwrap_or(memory.address + offset)),
            None => Err(self.refuse(Rule::AddressOfUnbound { buffer: handle })),
        }
    }
}
