//! What the breaches of rules about commands and queues read like.

use std::fmt;

use super::{Role, Rule};

impl Rule {
    pub(super) fn fmt_command(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Rule as R;
        match *self {
            R::InUse { kind, handle } => {
                write!(f, "{kind} {handle:#x} is in use by submitted commands")
            }
            R::QueueOutOfRange { member, value } => {
                write!(f, "{member} {value}, but the device has one family with one queue")
            }
            R::WrongState { command_buffer, state } => {
                write!(f, "command buffer {command_buffer:#x} is {state}")
            }
            R::NoSingleReset { command_buffer, pool } => write!(
                f,
                "command buffer {command_buffer:#x} is of pool {pool:#x}, which was made without \
                 RESET_COMMAND_BUFFER"
            ),
            R::FenceSignaled { fence } => write!(f, "fence {fence:#x} is signalled already"),
            _ => self.fmt_transfer(f),
        }
    }

    fn fmt_transfer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Rule as R;
        match *self {
            R::UnknownDestination { buffer } => write!(f, "{buffer:#x} is no living buffer"),
            R::TransferUsage { role, kind, handle } => {
                write!(f, "{kind} {handle:#x} was made without TRANSFER_{role} usage")
            }
            R::TransferMemory { kind, handle, .. } => {
                write!(f, "{kind} {handle:#x} has no memory, or none any more")
            }
            R::TransferOffset { offset, buffer_size, .. } => {
                write!(f, "offset {offset} is not in a buffer of {buffer_size} bytes")
            }
            R::TransferSize { offset, size, buffer_size, .. } => {
                write!(f, "{size} bytes from offset {offset} leave a buffer of {buffer_size} bytes")
            }
            R::TransferNotOnWord { member, value } => {
                write!(f, "{member} {value} is not a multiple of 4")
            }
            R::UpdateTooLarge { size } => write!(f, "{size} bytes, but at most 65536 at once"),
            R::TransferOverlap { buffer, offset, size } => write!(
                f,
                "{size} bytes from offset {offset} of buffer {buffer:#x} are read and written"
            ),
            R::NoSubresource { member, value, count } => {
                write!(f, "{member} {value} of an image with {count}")
            }
            R::TexelsOutside { axis, offset, extent, level_extent } => write!(
                f,
                "{extent} texels from {axis} {offset} leave a level of {level_extent} texels"
            ),
            R::ShortRows { member, value, extent } => {
                write!(f, "{member} {value} is less than the region's {extent}")
            }
            R::TexelOffset { offset, texel_bytes } => {
                write!(f, "offset {offset} is not a multiple of a texel's {texel_bytes} bytes")
            }
            R::ClearLayout { layout } => write!(f, "layout {layout} is none to clear in"),
            R::ClearAspect { aspect } => write!(f, "aspects {aspect:#x} are not the colour alone"),
            R::ClearFormat { image } => {
                write!(f, "image {image:#x} is compressed, or of depth or stencil")
            }
            _ => fmt::Debug::fmt(self, f),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "SRC",
            Self::Destination => "DST",
        })
    }
}
