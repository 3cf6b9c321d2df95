//! What a buffer or an image requires of its memory.
//!
//! Basic design: a buffer requires its size, an image its texels, each rounded up to the configured
//! alignment. Lazily allocated types are for transient attachments, protected ones for protected
//! resources, which have no others; each [`ResourceRule`] that matches then takes types away or
//! asks for dedicated memory.

use ash::vk;

use crate::config::DriverConfig;
use crate::image::ImageForm;
use crate::rules::{ResourceKind, ResourceRule};
use crate::state::CallResult;

/// What a resource is, apart from its handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Buffer { size: u64, usage: vk::BufferUsageFlags, is_protected: bool },
    Image { image: ImageForm, is_protected: bool },
}

/// `VkMemoryRequirements` and `VkMemoryDedicatedRequirements` in one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requirements {
    pub(crate) size: u64,
    pub(crate) alignment: u64,
    pub(crate) memory_type_bits: u32,
    pub(crate) prefers_dedicated: bool,
    pub(crate) requires_dedicated: bool,
}

impl Form {
    /// Whether it lies next to others of any kind, by the rules of `bufferImageGranularity`.
    pub(crate) fn is_linear(&self) -> bool {
        match self {
            Self::Buffer { .. } => true,
            Self::Image { image, .. } => image.is_linear,
        }
    }

    pub(crate) fn has_device_address(&self) -> bool {
        match self {
            Self::Buffer { usage, .. } => {
                usage.contains(vk::BufferUsageFlags::SHADER_DEVICE_ADDRESS)
            }
            Self::Image { .. } => false,
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Buffer { .. } => false,
            Self::Image { image, .. } => {
                image.usage.contains(vk::ImageUsageFlags::TRANSIENT_ATTACHMENT)
            }
        }
    }

    fn is_protected(&self) -> bool {
        match *self {
            Self::Buffer { is_protected, .. } | Self::Image { is_protected, .. } => is_protected,
        }
    }

    fn matches(&self, kind: ResourceKind) -> bool {
        match (kind, self) {
            (ResourceKind::Any, _) => true,
            (ResourceKind::Buffer(wanted), Self::Buffer { usage, .. }) => usage.contains(wanted),
            (ResourceKind::LinearImage, Self::Image { image, .. }) => image.is_linear,
            (ResourceKind::OptimalImage, Self::Image { image, .. }) => !image.is_linear,
            (ResourceKind::TransientImage, Self::Image { .. }) => self.is_transient(),
            _ => false,
        }
    }
}

impl DriverConfig {
    /// What `form` requires, or, in an overlay, what it requires beyond the real driver's answer,
    /// whose type bits are already in terms of this table.
    ///
    /// # Errors
    ///
    /// `VK_ERROR_OUT_OF_DEVICE_MEMORY` if the size passes 2^64.
    pub(crate) fn requirements(
        &self,
        form: &Form,
        real: Option<vk::MemoryRequirements>,
    ) -> CallResult<Requirements> {
        let (bytes, alignment) = match form {
            Form::Buffer { size, .. } => (Some(*size), self.buffer_alignment),
            Form::Image { image, .. } => (image.bytes(), self.image_alignment),
        };
        let real_bits = real.map_or(u32::MAX, |real| real.memory_type_bits);
        // The larger of two powers of two is a multiple of the other.
        let alignment = real.map_or(alignment, |real| alignment.max(real.alignment));
        // A real size is not rounded: a dedicated allocation has to have exactly that.
        let size = match real {
            Some(real) => Some(real.size),
            None => bytes.and_then(|bytes| bytes.checked_next_multiple_of(alignment)),
        };
        let size = size.ok_or(vk::Result::ERROR_OUT_OF_DEVICE_MEMORY)?;
        let mut requirements = Requirements {
            size,
            alignment,
            memory_type_bits: self.allowed_types(form.is_transient(), form.is_protected())
                & real_bits,
            prefers_dedicated: self.prefers_dedicated || self.requires_dedicated,
            requires_dedicated: self.requires_dedicated,
        };
        for rule in &self.resource_rules {
            if size >= rule.min_size && form.matches(rule.kind) {
                apply(rule, &mut requirements);
            }
        }
        if self.stray_type_bits {
            requirements.memory_type_bits |= !self.table_bits();
        }
        Ok(requirements)
    }

    /// The number of memory types, at most 32.
    pub(crate) fn memory_type_count(&self) -> u32 {
        u32::try_from(self.memory_types.len()).expect("checked when the driver was made")
    }

    /// The flags of a memory type that is in the table.
    pub(crate) fn memory_flags(&self, memory_type_index: u32) -> vk::MemoryPropertyFlags {
        let index = usize::try_from(memory_type_index).expect("in the table, so below 32");
        self.memory_types[index].0
    }

    /// The heap of a memory type that is in the table.
    pub(crate) fn heap_index(&self, memory_type_index: u32) -> u32 {
        let index = usize::try_from(memory_type_index).expect("in the table, so below 32");
        self.memory_types[index].1
    }

    /// A bit for each memory type.
    pub(crate) fn table_bits(&self) -> u32 {
        (0..self.memory_type_count()).fold(0, |bits, index| bits | (1 << index))
    }

    fn allowed_types(&self, is_transient: bool, is_protected: bool) -> u32 {
        (0..self.memory_type_count())
            .filter(|&index| {
                let flags = self.memory_flags(index);
                let is_lazy = flags.contains(vk::MemoryPropertyFlags::LAZILY_ALLOCATED);
                (is_transient || !is_lazy)
                    && is_protected == flags.contains(vk::MemoryPropertyFlags::PROTECTED)
            })
            .fold(0, |bits, index| bits | (1 << index))
    }
}

fn apply(rule: &ResourceRule, requirements: &mut Requirements) {
    requirements.memory_type_bits &= rule.memory_type_bits;
    requirements.requires_dedicated |= rule.requires_dedicated;
    // What requires dedicated memory prefers it too (VkMemoryDedicatedRequirements).
    requirements.prefers_dedicated |= rule.prefers_dedicated || rule.requires_dedicated;
}
