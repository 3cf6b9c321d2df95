//! Breaches of valid usage, with the values and the name of the rule.

use std::fmt;

use crate::call::Call;

mod rule;
mod vuid;
mod vuid_command;
mod words;
mod words_command;

pub use rule::{Role, Rule};

/// A breach of valid usage, or of good practice, by the program under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The function that was called.
    pub call: Call,
    /// What was wrong.
    pub rule: Rule,
}

/// The kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each name is Vulkan's")]
pub enum ObjectKind {
    Memory,
    Buffer,
    Image,
    CommandPool,
    CommandBuffer,
    Fence,
    Device,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call.name(), self.rule)?;
        match self.vuid() {
            Some(vuid) => write!(f, " ({vuid})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Buffer => "buffer",
            Self::Image => "image",
            Self::CommandPool => "command pool",
            Self::CommandBuffer => "command buffer",
            Self::Fence => "fence",
            Self::Device => "device",
        })
    }
}
