//! What the caller may choose: validation, and which device.

use std::env;

/// The environment variable that names the device, see [`DeviceChoice::from_environment`].
pub const DEVICE_VARIABLE: &str = "VK_BOOT_DEVICE";

/// The environment variable that binds GPU tests to a driver, see [`BootOptions::for_gpu_tests`].
pub const TEST_REQUIREMENT_VARIABLE: &str = "GPU_TESTS_REQUIRE";

/// Options of [`Boot::new`](crate::Boot::new).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootOptions {
    /// Whether the validation layer is switched on.
    pub validation: Validation,
    /// Which physical device is taken.
    pub device: DeviceChoice,
}

impl BootOptions {
    /// The options of a GPU test: validation is required, and the environment says which device.
    ///
    /// `GPU_TESTS_REQUIRE=lavapipe` takes lavapipe and nothing else, any other value takes a
    /// device with these words in its name; without the variable
    /// [`DeviceChoice::from_environment`] holds.
    #[must_use]
    pub fn for_gpu_tests() -> Self {
        let device = match env::var(TEST_REQUIREMENT_VARIABLE) {
            Ok(name) if !name.is_empty() => DeviceChoice::from_name(&name),
            _ => DeviceChoice::from_environment(),
        };
        Self { validation: Validation::Required, device }
    }
}

/// Whether `VK_LAYER_KHRONOS_validation` is switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Never.
    #[default]
    Off,
    /// When the layer is installed; [`Boot::validation`](crate::Boot::validation) tells.
    IfPresent,
    /// Always; without the layer there is no device.
    Required,
}

/// Which physical device is taken, of those with Vulkan 1.1 and a usable queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first that the loader lists.
    Any,
    /// A discrete GPU, else an integrated one, else what there is; software comes last.
    #[default]
    PreferHardware,
    /// The first whose type is `VK_PHYSICAL_DEVICE_TYPE_CPU`.
    Software,
    /// Mesa's software driver, lavapipe.
    Lavapipe,
    /// The first with these words in its device or driver name, in upper or lower case.
    NameContains(Box<str>),
}

impl DeviceChoice {
    /// The choice that the environment variable `VK_BOOT_DEVICE` names: `any`, `hardware`,
    /// `software`, `lavapipe` or a part of the device's name; [`DeviceChoice::PreferHardware`]
    /// when it is unset or empty.
    #[must_use]
    pub fn from_environment() -> Self {
        match env::var(DEVICE_VARIABLE) {
            Ok(name) if !name.is_empty() => Self::from_name(&name),
            _ => Self::default(),
        }
    }

    /// The choice that `name` stands for, with the words of [`DeviceChoice::from_environment`].
    ///
    /// ```
    /// use vk_boot::DeviceChoice;
    ///
    /// assert_eq!(DeviceChoice::from_name("lavapipe"), DeviceChoice::Lavapipe);
    /// assert_eq!(DeviceChoice::from_name("RTX"), DeviceChoice::NameContains("RTX".into()));
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "any" | "first" => Self::Any,
            "hardware" => Self::PreferHardware,
            "software" => Self::Software,
            "lavapipe" => Self::Lavapipe,
            _ => Self::NameContains(name.into()),
        }
    }
}
