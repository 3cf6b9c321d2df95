//! What commands do: they move bytes between the device's copies of memory.
//!
//! Basic design: a submission is run as a whole, its commands one after the other, under the lock
//! of the books. Bytes go through a piece of scratch memory, so that source and destination may be
//! one allocation. Resources and memory of a submission cannot go before it has run, since their
//! destruction is refused.

use ash::vk;

use crate::command::{Command, TexelCopy};
use crate::host_memory::HostMemory;
use crate::image::ImageForm;
use crate::objects::Resource;
use crate::requirements::Form;
use crate::state::Books;
use crate::texels::rows;
use crate::violation::ObjectKind;

/// How many bytes are moved at once.
const SCRATCH: u64 = 65536;

/// A place on the device: memory and offset.
#[derive(Clone, Copy, Debug)]
struct Address {
    memory: u64,
    offset: u64,
}

impl Address {
    /// Within the same resource, so that the sum stays within its memory.
    fn plus(self, offset: u64) -> Self {
        Self { offset: self.offset + offset, ..self }
    }
}

impl Books {
    /// Whether the memory that a resource is bound to lives.
    pub(crate) fn has_memory(&self, resource: &Resource) -> bool {
        resource.bound.is_some_and(|(memory, _)| self.memories.contains_key(&memory))
    }

    /// Runs a command; `None` if the host has no memory left for the bytes.
    pub(crate) fn run(&mut self, command: &Command) -> Option<()> {
        match command {
            Command::CopyBuffer { source, destination, regions } => {
                let source = self.address(ObjectKind::Buffer, *source);
                let destination = self.address(ObjectKind::Buffer, *destination);
                for region in regions {
                    let from = source.plus(region.src_offset);
                    self.copy(from, destination.plus(region.dst_offset), region.size)?;
                }
                Some(())
            }
            Command::FillBuffer { buffer, offset, size, word } => {
                let to = self.address(ObjectKind::Buffer, *buffer).plus(*offset);
                self.fill(to, *size, &word.to_ne_bytes())
            }
            Command::UpdateBuffer { buffer, offset, bytes } => {
                let to = self.address(ObjectKind::Buffer, *buffer).plus(*offset);
                self.device(to)?.write(to.offset, bytes);
                Some(())
            }
            Command::CopyTexels { direction, buffer, image, regions } => regions
                .iter()
                .try_for_each(|region| self.copy_region(*direction, (*buffer, *image), region)),
            Command::ClearImage { image, texel, ranges } => {
                ranges.iter().try_for_each(|range| self.clear_range(*image, texel, range))
            }
            Command::Barrier { .. } => Some(()),
        }
    }

    fn clear_range(
        &mut self,
        image: u64,
        texel: &[u8],
        range: &vk::ImageSubresourceRange,
    ) -> Option<()> {
        let form = self.image_form(image);
        let to = self.address(ObjectKind::Image, image);
        for level in range.base_mip_level..range.base_mip_level + range.level_count {
            for layer in range.base_array_layer..range.base_array_layer + range.layer_count {
                for (offset, size) in form.layer_spans(level, layer) {
                    self.fill(to.plus(offset), size, texel)?;
                }
            }
        }
        Some(())
    }

    fn image_form(&self, image: u64) -> ImageForm {
        let Some(Resource { form: Form::Image { image, .. }, .. }) = self.images.get(&image) else {
            unreachable!("the image cannot be destroyed before the command has run");
        };
        *image
    }

    fn copy_region(
        &mut self,
        direction: TexelCopy,
        (buffer, image): (u64, u64),
        region: &vk::BufferImageCopy,
    ) -> Option<()> {
        let form = self.image_form(image);
        let in_buffer = self.address(ObjectKind::Buffer, buffer);
        let in_image = self.address(ObjectKind::Image, image);
        for row in rows(&form, region) {
            let row = row.expect("measured when the command was recorded");
            let (from, to) = (in_buffer.plus(row.buffer_offset), in_image.plus(row.image_offset));
            match direction {
                TexelCopy::ToImage => self.copy(from, to, row.size)?,
                TexelCopy::ToBuffer => self.copy(to, from, row.size)?,
            }
        }
        Some(())
    }

    /// Where a resource of a submission lies.
    fn address(&mut self, kind: ObjectKind, handle: u64) -> Address {
        let bound = self.resources(kind).get(&handle).and_then(|resource| resource.bound);
        let (memory, offset) =
            bound.expect("neither resource nor memory can go before the command has run");
        Address { memory, offset }
    }

    fn device(&mut self, address: Address) -> Option<&mut HostMemory> {
        let memory = self.memories.get_mut(&address.memory);
        memory.expect("memory cannot be freed before the command has run").backing.device()
    }

    fn copy(&mut self, from: Address, to: Address, size: u64) -> Option<()> {
        let mut scratch = scratch(size);
        let mut done = 0;
        while done < size {
            let piece = piece(&mut scratch, size - done);
            self.device(from)?.read(from.offset + done, piece);
            self.device(to)?.write(to.offset + done, piece);
            done += SCRATCH;
        }
        Some(())
    }

    /// Fills with a word or a texel, over and over; it is far smaller than the scratch memory.
    fn fill(&mut self, to: Address, size: u64, pattern: &[u8]) -> Option<()> {
        let length = pattern.len() as u64;
        let step = SCRATCH / length * length;
        let mut scratch = scratch(size.min(step));
        scratch.iter_mut().zip(pattern.iter().cycle()).for_each(|(byte, &wanted)| *byte = wanted);
        let mut done = 0;
        while done < size {
            let piece = piece(&mut scratch, size - done);
            self.device(to)?.write(to.offset + done, piece);
            done += step;
        }
        Some(())
    }
}

fn scratch(size: u64) -> Vec<u8> {
    vec![0; usize::try_from(size.min(SCRATCH)).expect("at most 65536")]
}

/// As much of the scratch memory as is left to do.
fn piece(scratch: &mut [u8], left: u64) -> &mut [u8] {
    let length = usize::try_from(left).map_or(scratch.len(), |left| left.min(scratch.len()));
    &mut scratch[..length]
}
