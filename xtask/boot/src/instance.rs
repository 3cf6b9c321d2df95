//! Loads Vulkan and makes the instance, with the validation layer when it is wanted.

use std::ffi::CStr;
use std::sync::Arc;

use ash::{ext, vk};

use crate::error::BootError;
use crate::messages::{MessageSink, messenger_create_info};
use crate::options::Validation;

const LAYER: &CStr = c"VK_LAYER_KHRONOS_validation";

/// An instance and its messenger; destroys both.
pub(crate) struct InstanceOwner {
    messenger: Option<(ext::debug_utils::Instance, vk::DebugUtilsMessengerEXT)>,
    pub(crate) instance: ash::Instance,
    pub(crate) sink: Arc<MessageSink>,
    pub(crate) validation: bool,
    /// Of Vulkan, that the layer was written for.
    pub(crate) layer_version: Option<u32>,
    pub(crate) synchronization_validation: bool,
    /// Holds the loader's library open, so it is dropped last.
    pub(crate) entry: ash::Entry,
}

impl InstanceOwner {
    pub(crate) fn new(validation: Validation) -> Result<Self, BootError> {
        // SAFETY: this runs the initialisers of the system's Vulkan loader, which is written to be
        // loaded so; the entry is kept as long as anything made from it.
        let entry = unsafe { ash::Entry::load() }.map_err(|_| BootError::NoLoader)?;
        // SAFETY: the entry is loaded.
        let version = unsafe { entry.try_enumerate_instance_version() }
            .map_err(|result| BootError::from_call("vkEnumerateInstanceVersion", result))?;
        // `None` is the answer of Vulkan 1.0, which lacks the function.
        if version.is_none_or(|version| version < vk::API_VERSION_1_1) {
            return Err(BootError::LoaderTooOld);
        }
        let layer = layer_to_enable(&entry, validation)?;
        let sink = Arc::new(MessageSink::default());
        let instance = create_instance(&entry, layer, &sink)?;
        let mut owner = Self {
            messenger: None,
            instance,
            sink,
            validation: layer.is_some(),
            layer_version: layer.map(|layer| layer.version),
            synchronization_validation: layer.is_some_and(|layer| layer.has_validation_features),
            entry,
        };
        if owner.validation {
            owner.messenger = Some(owner.create_messenger()?);
        }
        Ok(owner)
    }

    fn create_messenger(
        &self,
    ) -> Result<(ext::debug_utils::Instance, vk::DebugUtilsMessengerEXT), BootError> {
        let functions = ext::debug_utils::Instance::new(&self.entry, &self.instance);
        let create_info = messenger_create_info(&self.sink);
        // SAFETY: the extension is enabled, and the sink is dropped after the messenger.
        let messenger = unsafe { functions.create_debug_utils_messenger(&create_info, None) }
            .map_err(|result| BootError::from_call("vkCreateDebugUtilsMessengerEXT", result))?;
        Ok((functions, messenger))
    }
}

impl Drop for InstanceOwner {
    fn drop(&mut self) {
        if let Some((functions, messenger)) = self.messenger.take() {
            // SAFETY: made in `new` from this instance, and taken out here, so destroyed once.
            unsafe { functions.destroy_debug_utils_messenger(messenger, None) };
        }
        // SAFETY: the owner is dropped once, after the device that was made from the instance.
        unsafe { self.instance.destroy_instance(None) };
    }
}

/// What the validation layer can do.
#[derive(Clone, Copy)]
struct Layer {
    version: u32,
    /// Whether `VK_EXT_validation_features` is there, which switches synchronisation checks on.
    has_validation_features: bool,
}

/// The layer if it is wanted and there.
fn layer_to_enable(entry: &ash::Entry, validation: Validation) -> Result<Option<Layer>, BootError> {
    if validation == Validation::Off {
        return Ok(None);
    }
    // SAFETY: the entry is loaded.
    let layers = unsafe { entry.enumerate_instance_layer_properties() }
        .map_err(|result| BootError::from_call("vkEnumerateInstanceLayerProperties", result))?;
    let Some(found) = layers.iter().find(|layer| layer.layer_name_as_c_str() == Ok(LAYER)) else {
        return match validation {
            Validation::Required => Err(BootError::LayerMissing),
            Validation::Off | Validation::IfPresent => Ok(None),
        };
    };
    let offered = |layer| {
        // SAFETY: the entry is loaded, the layer is installed.
        unsafe { entry.enumerate_instance_extension_properties(layer) }.map_err(|result| {
            BootError::from_call("vkEnumerateInstanceExtensionProperties", result)
        })
    };
    let mut extensions = offered(None)?;
    extensions.extend(offered(Some(LAYER))?);
    let has = |name| extensions.iter().any(|offer| offer.extension_name_as_c_str() == Ok(name));
    if !has(ext::debug_utils::NAME) {
        return Err(BootError::DebugUtilsMissing);
    }
    Ok(Some(Layer {
        version: found.spec_version,
        has_validation_features: has(ext::validation_features::NAME),
    }))
}

fn create_instance(
    entry: &ash::Entry,
    layer: Option<Layer>,
    sink: &MessageSink,
) -> Result<ash::Instance, BootError> {
    // A loader of 1.1 or later takes any version here; each device says what it can do itself.
    let application = vk::ApplicationInfo::default()
        .application_name(c"vk-boot")
        .api_version(vk::API_VERSION_1_3);
    let layers = [LAYER.as_ptr()];
    let mut extensions = vec![ext::debug_utils::NAME.as_ptr()];
    let synchronization = [vk::ValidationFeatureEnableEXT::SYNCHRONIZATION_VALIDATION];
    let mut features =
        vk::ValidationFeaturesEXT::default().enabled_validation_features(&synchronization);
    // Chained here, it hears what is said while the instance is created and destroyed.
    let mut messenger = messenger_create_info(sink);
    let mut create_info = vk::InstanceCreateInfo::default().application_info(&application);
    if let Some(layer) = layer {
        if layer.has_validation_features {
            extensions.push(ext::validation_features::NAME.as_ptr());
            create_info = create_info.push_next(&mut features);
        }
        create_info = create_info
            .enabled_layer_names(&layers)
            .enabled_extension_names(&extensions)
            .push_next(&mut messenger);
    }
    // SAFETY: layer and extensions are there, and what the create info points to lives; the sink
    // outlives the instance, whose destruction still uses it.
    unsafe { entry.create_instance(&create_info, None) }
        .map_err(|result| BootError::from_call("vkCreateInstance", result))
}
