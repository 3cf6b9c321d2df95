//! Group `facade`: whole allocators of device memory, on a Vulkan device.

mod buffers;
mod contest;
mod gpu;
mod peers;
mod program;
mod replay;
mod report;
mod threads;
mod verify;

use self::contest::{Case, Effort, Outcome, Work};
use self::gpu::Gpu;
use self::peers::{Peer, planted};
use self::program::{Order, buffer_sizes, churn, frames, of_trace};
use crate::arguments::Arguments;
use crate::core_group::{chosen, tell};
use crate::pin;

/// Buffers of `create-bind-destroy`.
const BUFFERS: usize = 10_000;

/// The cases, but for those of the recorded traces.
const CASES: [&str; 7] = [
    "alloc-free",
    "create-bind-destroy",
    "threads-1",
    "threads-2-same-type",
    "threads-2-two-types",
    "threads-4-same-type",
    "producer-consumer",
];

/// The cases of linear pools, which ours and VMA have.
const LINEAR_CASES: [&str; 3] = ["linear-frame", "linear-stack", "linear-ring"];

/// The case of a pool of buddies.
const BUDDY_CASE: &str = "buddy-pool-churn";

/// Runs the chosen cases with the chosen peers, and prints what came of it.
///
/// # Errors
///
/// A name that is not in the lists, no Vulkan device, a trace that cannot be read, a planted fault
/// that was not found (then nothing is run), or wrong answers; the figures of the others are printed
/// before the last.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let folder = ::replay::folder();
    // Names live as long as the program, which runs one group.
    let traces = ::replay::names(&folder).into_iter();
    let traces: Vec<&'static str> = traces.map(|name| &*format!("trace/{name}").leak()).collect();
    let of_pools = LINEAR_CASES.iter().chain([&BUDDY_CASE]);
    let all_cases: Vec<_> = CASES.iter().chain(of_pools).chain(&traces).copied().collect();
    let cases = chosen(&arguments.cases, &all_cases, "case")?;
    let theirs = peers::all();
    let names: Vec<_> = theirs.iter().map(|peer| peer.name).collect();
    let peer_names = chosen(&arguments.peers, &names, "peer")?;
    let theirs = theirs.into_iter().filter(|peer| peer_names.contains(&peer.name));
    let peers: Vec<Peer> = std::iter::once(peers::ours()).chain(theirs).collect();
    planted::prove()
        .map_err(|fault| format!("the planted fault \"{fault}\" was not found: nothing is run"))?;
    let cores = pin::cores();
    let mut effort = if arguments.quick { Effort::quick(cores) } else { Effort::full(cores) };
    effort.runs = arguments.runs.unwrap_or(effort.runs);

    let gpu = Gpu::new().map_err(|error| error.to_string())?;
    if !arguments.json {
        print!("{}", heading(&gpu, &peers, &effort));
    }
    let (mut works, mut linear, mut buddies) = (Vec::new(), Vec::new(), Vec::new());
    for name in cases {
        match case(&gpu, name, effort.pairs)? {
            Some(case) if LINEAR_CASES.contains(&name) => linear.push(case),
            Some(case) if name == BUDDY_CASE => buddies.push(case),
            Some(case) => works.push(case),
            None => skipped(arguments.json, name),
        }
    }
    let mut outcomes = Vec::new();
    let of_pools = [(peers::linear(), linear), (peers::buddies(), buddies)];
    for (peers, works) in core::iter::once((peers, works)).chain(of_pools) {
        if !works.is_empty() {
            outcomes.extend(contest::run(&gpu, &peers, works, &effort, &mut tell));
        }
    }
    tell("");
    print(arguments.json, &outcomes);
    wrong_answers(&outcomes)
}

/// The case of that name; `None` where the device cannot show it.
fn case(gpu: &Gpu, name: &'static str, pairs: usize) -> Result<Option<Case>, String> {
    let bits = gpu.memory_type_bits();
    // The first type that any program may use: the same for all threads.
    let one_type = 1 << bits.trailing_zeros();
    let threads = |types: &[u32]| {
        let program =
            |(index, bits): (usize, &u32)| churn(&format!("threads-{index}"), *bits, pairs);
        Work::Threads(types.iter().enumerate().map(program).collect())
    };
    let churned = "200 live of 256 B to 1 MiB (log-uniform), random ones replaced";
    let (work, about) = match name {
        "alloc-free" => (Work::Pairs(churn("alloc-free", bits, pairs)), churned.to_owned()),
        "create-bind-destroy" => {
            let about = format!(
                "{BUFFERS} buffers of 256 B to 1 MiB (log-uniform), Vulkan's calls included"
            );
            (Work::Buffers(buffer_sizes(BUFFERS)), about)
        }
        "threads-1" => (threads(&[one_type]), format!("1 thread: {churned}; time of the wall")),
        "threads-2-same-type" => {
            (threads(&[one_type; 2]), "2 threads, each with its own of these".to_owned())
        }
        "threads-2-two-types" => match gpu.two_types() {
            Some(types) => (threads(&types), "2 threads, each in a memory type of its own".into()),
            None => return Ok(None),
        },
        "threads-4-same-type" => {
            (threads(&[one_type; 4]), "4 threads, each with its own of these".to_owned())
        }
        "producer-consumer" => {
            let about = "one thread allocates, another frees; time of the wall".to_owned();
            (Work::HandOver(churn("producer-consumer", one_type, pairs)), about)
        }
        "linear-frame" | "linear-stack" | "linear-ring" => {
            let (order, how) = match name {
                "linear-frame" => (Order::FrameByFrame, "freed in their order, frame by frame"),
                "linear-stack" => (Order::LastInFirstOut, "freed last in, first out"),
                _ => (Order::Ring, "three frames in flight, the oldest freed first"),
            };
            let about = format!("frames of 500 blocks of 256 B to 64 KiB (log-uniform), {how}");
            (Work::Pairs(frames(name, order, one_type, pairs)), about)
        }
        BUDDY_CASE => (Work::Pairs(churn(name, one_type, pairs)), churned.to_owned()),
        trace => {
            let known = trace.strip_prefix("trace/").unwrap_or(trace);
            let path = ::replay::find(&::replay::folder(), known);
            let trace =
                ::replay::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let program = of_trace(&trace, bits);
            let about = format!(
                "{} operations as recorded, at most {} live; from no block on, driver calls included",
                program.operations.len(),
                program.slot_count
            );
            (Work::Pairs(program), about)
        }
    };
    Ok(Some(Case { name, about, work }))
}

fn heading(gpu: &Gpu, peers: &[Peer], effort: &Effort) -> String {
    let cores = &effort.slices.cores;
    let mut text = format!(
        "group facade: {} runs, peers in turns, on {}\n\
         one thread: on core {:?}, times are those that it computed; several: kept on cores {cores:?}, times\n\
         are those of the wall, the least of {} slices; medians, ratios are ours / theirs\n\
         no allocation has a name; the 4 planted faults were found by the verification\n\n",
        effort.runs,
        gpu.describe(),
        effort.core,
        effort.slices.count,
    );
    let line = |peer: &Peer| format!("  {:<16} {}\n", peer.name, peer.note);
    text.extend(peers.iter().map(line));
    text
}

/// A case that this device cannot show must not look as if it had never been there.
fn skipped(json: bool, name: &str) {
    let line = format!("{name}: skipped, the device has one memory type that any program may use");
    if json { eprintln!("{line}") } else { println!("\n{line}") }
}

fn print(json: bool, outcomes: &[Outcome]) {
    if json {
        report::rows(outcomes).iter().for_each(|row| println!("{}", row.json()));
    } else {
        outcomes.iter().for_each(|outcome| print!("{}", report::table(outcomes, outcome)));
    }
}

fn wrong_answers(outcomes: &[Outcome]) -> Result<(), String> {
    let wrong: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| outcome.entries.iter().map(|entry| (outcome.case.name, entry)))
        .filter_map(|(case, entry)| {
            Some(format!("{} in {case}: {}", entry.peer, entry.fault.as_ref()?))
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("wrong answers\n{}", wrong.join("\n"))) }
}
