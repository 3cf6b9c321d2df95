//! Two threads on one allocator, with the queue under a lock.

use std::sync::{Barrier, mpsc};
use std::thread;

use crate::bytes::pattern;
use crate::resources::Buffer;
use crate::support::{Gpu, on_device};
use crate::transfers::{assert_buffer, fill_buffer};
use crate::{buffers, images, transient};

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn two_threads_at_once_keep_each_others_bytes() {
    let gpu = Gpu::new();
    let start = Barrier::new(2);
    thread::scope(|scope| {
        // Far apart, so that no resource of one thread has the bytes of another's.
        let threads = [1u64 << 32, 2 << 32].map(|seed| {
            let (gpu, start) = (&gpu, &start);
            scope.spawn(move || {
                start.wait();
                let buffers_before = buffers::matrix(gpu, seed);
                let tried = images::matrix(gpu, seed + 1);
                transient::matrix(gpu);
                let buffers_after = buffers::matrix(gpu, seed + 2);
                (buffers_before + buffers_after, tried)
            })
        });
        for thread in threads {
            let (buffer_count, tried) = thread.join().expect("no thread panics");
            println!("{buffer_count} buffers, {} images", tried.len());
            assert!(buffer_count >= 2 * buffers::MATRIX_FLOOR);
            images::assert_covered(&tried);
        }
    });
    gpu.finish();
}

#[test]
#[ignore = "needs Vulkan: cargo xtask test-gpu"]
fn what_one_thread_allocates_another_reads_and_frees() {
    const COUNT: u64 = 200;
    let gpu = Gpu::new();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let gpu = &gpu;
        scope.spawn(move || {
            for seed in 0..COUNT {
                let strategy = crate::support::STRATEGIES[usize::from(seed % 8 == 0)];
                let size = 1 + (seed * 977) % 50_000;
                let buffer = Buffer::new(gpu, size, buffers::COPIED, &on_device(strategy));
                fill_buffer(gpu, buffer.handle, &pattern(seed, size));
                sender.send((seed, buffer)).expect("the receiver lives until the sender is gone");
            }
        });
        let received = scope.spawn(move || {
            let mut count = 0;
            for (seed, buffer) in receiver {
                assert_buffer(gpu, seed, buffer.handle, &pattern(seed, buffer.size));
                buffer.destroy(gpu);
                count += 1;
            }
            count
        });
        assert_eq!(received.join().expect("the thread does not panic"), COUNT);
    });
    gpu.finish();
}
