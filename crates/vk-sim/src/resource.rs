//! Making and destroying buffers and images.

use ash::vk;

use crate::image::ImageForm;
use crate::objects::Resource;
use crate::requirements::{Form, Requirements};
use crate::state::{CallResult, Entered};
use crate::violation::{ObjectKind, Rule};

/// A resource that the driver behind the books has made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) handle: u64,
    /// What a real driver requires, in terms of the table; `None` without one.
    pub(crate) requirements: Option<vk::MemoryRequirements>,
}

impl Entered<'_> {
    /// Makes a buffer or an image by `make`; its raw handle.
    pub(crate) fn create_resource(
        &mut self,
        form: Form,
        make: impl FnOnce() -> CallResult<Made>,
    ) -> CallResult<u64> {
        self.check_form(&form)?;
        // Asked first, so that nothing has been made when the size passes 2^64.
        self.config.requirements(&form, None)?;
        self.fail_if_planted()?;
        let made = make()?;
        let requirements = self.config.requirements(&form, made.requirements)?;
        let resource = Resource { form, requirements, bound: None };
        self.books.resources(form.kind()).insert(made.handle, resource);
        Ok(made.handle)
    }

    /// What a resource would require; none is made.
    pub(crate) fn requirements_without(
        &mut self,
        form: &Form,
        real: Option<vk::MemoryRequirements>,
    ) -> CallResult<Requirements> {
        self.check_form(form)?;
        self.config.requirements(form, real)
    }

    /// Destroys a buffer or an image by `destroy`; null is ignored.
    pub(crate) fn destroy_resource(
        &mut self,
        kind: ObjectKind,
        handle: u64,
        destroy: impl FnOnce(),
    ) -> CallResult<()> {
        if handle == 0 {
            return Ok(());
        }
        let resource = self.resource(kind, handle)?;
        self.refuse_in_use(kind, handle)?;
        self.books.resources(kind).remove(&handle);
        if let Some((memory, offset)) = resource.bound
            && let Some(memory) = self.books.memories.get_mut(&memory)
        {
            memory.bound.remove(&(offset, kind, handle));
        }
        destroy();
        Ok(())
    }

    fn check_form(&mut self, form: &Form) -> CallResult<()> {
        match form {
            Form::Buffer { size: 0, .. } => Err(self.refuse(Rule::ZeroSize)),
            Form::Buffer { .. } => Ok(()),
            Form::Image { image, .. } => self.check_image(image),
        }
    }

    fn check_image(&mut self, image: &ImageForm) -> CallResult<()> {
        let vk::Extent3D { width, height, depth } = image.extent;
        for (member, value) in [
            ("width", width),
            ("height", height),
            ("depth", depth),
            ("mipLevels", image.mip_levels),
            ("arrayLayers", image.array_layers),
        ] {
            if value == 0 {
                return Err(self.refuse(Rule::ZeroExtent { member }));
            }
        }
        Ok(())
    }
}

impl Form {
    pub(crate) fn kind(&self) -> ObjectKind {
        match self {
            Self::Buffer { .. } => ObjectKind::Buffer,
            Self::Image { .. } => ObjectKind::Image,
        }
    }
}
