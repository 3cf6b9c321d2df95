//! The functions as Vulkan declares them: they read what pointers name, enter the device's state,
//! and write what comes out.
//!
//! Every function here has this contract, which its `SAFETY` comments refer to:
//!
//! 1. The dispatchable handle is one of a [`SimDriver`](crate::SimDriver) that still lives.
//! 2. Every pointer that the specification wants valid is so, for reading or for writing, and so
//!    are the structures chained behind it.
//!
//! Other breaches of valid usage are recorded, and harmless.

mod bind;
mod chain;
mod command;
mod entries;
mod memory;
mod physical;
mod pool;
mod queue;
mod requirements;
mod resource;
mod table;

use std::ptr;

use ash::vk::{self, Handle};

use crate::real;
use crate::record::CommandHeader;
use crate::state::{CallResult, State};

pub(crate) use table::{get_device_proc_addr, get_instance_proc_addr};

/// The state behind a dispatchable handle.
///
/// # Safety
///
/// 1. The handle was made by [`handle_of`] from a state that lives as long as `'a`, or is a real
///    driver's under an overlay whose state lives as long.
unsafe fn state_of<'a>(handle: impl Handle) -> &'a State {
    let handle = handle.as_raw();
    let address = real::address_for(handle)
        .unwrap_or_else(|| usize::try_from(handle).expect("made from an address of this machine"));
    // SAFETY: clause 1; the address was exposed when the handle was made, or when the overlay was
    // registered, and the state is only ever shared.
    unsafe { &*ptr::with_exposed_provenance::<State>(address) }
}

/// The handle, of whatever dispatchable kind, for a state.
pub(crate) fn handle_of<T: Handle>(state: &State) -> T {
    T::from_raw(address_of(state))
}

/// The state of the device that a command buffer belongs to.
///
/// # Safety
///
/// 1. The handle is one that this driver gave out for a device that lives as long as `'a`.
unsafe fn command_state_of<'a>(command_buffer: vk::CommandBuffer) -> &'a State {
    let address = usize::try_from(command_buffer.as_raw());
    let address = address.expect("made from an address of this machine");
    // SAFETY: clause 1: the address of a header, exposed when the handle was made, and headers stay
    // while their device lives.
    let header = unsafe { &*ptr::with_exposed_provenance::<CommandHeader>(address) };
    // SAFETY: clause 1.
    unsafe { state_of(header.device) }
}

/// The address of a value as a raw handle.
pub(crate) fn address_of<T>(value: &T) -> u64 {
    // `usize` is at most 64 bits wide on every target that Vulkan has.
    ptr::from_ref(value).expose_provenance() as u64
}

/// What a function that makes an object returns; the handle goes to `out`, null on an error.
///
/// # Safety
///
/// 1. `out` is valid for writing.
unsafe fn write_handle<T: Handle>(out: *mut T, result: CallResult<u64>) -> vk::Result {
    let code = result_code(&result);
    // SAFETY: clause 1.
    unsafe { out.write(T::from_raw(result.unwrap_or(0))) };
    code
}

/// The code for a result.
fn result_code<T>(result: &CallResult<T>) -> vk::Result {
    match *result {
        Ok(_) => vk::Result::SUCCESS,
        Err(result) => result,
    }
}

/// The slice that a count and a pointer name; empty for a count of 0, whatever the pointer.
///
/// # Safety
///
/// 1. If `count` is not 0, `pointer` is valid for reading `count` values for as long as `'a`.
unsafe fn slice_of<'a, T>(count: u32, pointer: *const T) -> &'a [T] {
    match usize::try_from(count) {
        Ok(count) if count > 0 => {
            // SAFETY: clause 1.
            unsafe { std::slice::from_raw_parts(pointer, count) }
        }
        _ => &[],
    }
}
