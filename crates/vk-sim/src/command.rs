//! The commands that a command buffer can hold.

use std::sync::Arc;

use ash::vk;

use crate::violation::ObjectKind;

/// A recorded command, checked when it was; buffers and images are raw handles.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    CopyBuffer {
        source: u64,
        destination: u64,
        regions: Vec<vk::BufferCopy>,
    },
    FillBuffer {
        buffer: u64,
        offset: u64,
        size: u64,
        word: u32,
    },
    UpdateBuffer {
        buffer: u64,
        offset: u64,
        bytes: Vec<u8>,
    },
    CopyTexels {
        direction: TexelCopy,
        buffer: u64,
        image: u64,
        regions: Vec<vk::BufferImageCopy>,
    },
    /// Levels and layers are written out; the texel is as many bytes as one of the image's.
    ClearImage {
        image: u64,
        texel: Vec<u8>,
        ranges: Vec<vk::ImageSubresourceRange>,
    },
    /// Commands run one after the other, so it waits for nothing; what it names has to live.
    Barrier {
        buffers: Vec<u64>,
        images: Vec<u64>,
    },
}

/// Which way texels go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TexelCopy {
    ToImage,
    ToBuffer,
}

/// The commands of one command buffer, shared with its submissions.
pub(crate) type Commands = Arc<Vec<Command>>;

impl Command {
    /// Every buffer and image that it uses.
    pub(crate) fn resources(&self) -> Vec<(ObjectKind, u64)> {
        let buffer = |&handle: &u64| (ObjectKind::Buffer, handle);
        let image = |&handle: &u64| (ObjectKind::Image, handle);
        match self {
            Self::CopyBuffer { source, destination, .. } => {
                vec![buffer(source), buffer(destination)]
            }
            Self::FillBuffer { buffer: handle, .. } | Self::UpdateBuffer { buffer: handle, .. } => {
                vec![buffer(handle)]
            }
            Self::CopyTexels { buffer: from, image: to, .. } => vec![buffer(from), image(to)],
            Self::ClearImage { image: handle, .. } => vec![image(handle)],
            Self::Barrier { buffers, images } => {
                buffers.iter().map(buffer).chain(images.iter().map(image)).collect()
            }
        }
    }
}
