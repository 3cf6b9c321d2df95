//! Threads of a model, and their shards.

use std::sync::Arc;

use loom::thread::JoinHandle;

use super::world::World;
use crate::{STACK_WORDS, home};

/// A thread of the model whose shard is this one.
pub(super) fn thread<T: Send + 'static>(
    world: &Arc<World>,
    shard: usize,
    run: impl FnOnce(&World) -> T + Send + 'static,
) -> JoinHandle<T> {
    let world = Arc::clone(world);
    spawned(move || {
        home::set(shard);
        run(&world)
    })
}

/// A thread of the model.
pub(super) fn spawned<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let thread = loom::thread::Builder::new().stack_size(STACK_WORDS).spawn(run);
    thread.expect("loom starts it")
}

/// Runs with another shard as this thread's.
pub(super) fn at_home<T>(shard: usize, run: impl FnOnce() -> T) -> T {
    home::set(shard);
    let answer = run();
    home::set(0);
    answer
}

/// What a thread of the model answered.
pub(super) fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("a model ends at the first panic")
}
