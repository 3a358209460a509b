//! What a stranger's bytes can make us allocate: a bound for each byte, under an allocator that counts.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use spanwire::Profile;
use spanwire::api::{Method, Request};
use spanwire::auth::{Key, Rules, Verifier};
use spanwire::backend::{of_connect, of_matter};
use spanwire::config::{Layer, Settings};
use spanwire::edge::{forwarded, proxy_protocol};
use spanwire_fuzz::{Chance, base_and_patch, mutate};
use spanwire_hub::backend::{Matter, ProxyId};
use spanwire_hub::channel::Channel;
use spanwire_wire::{Encoding, Limits, commands, delta};
use spanwire_ws::{Connection, Input, Role};

/// Counts the bytes that the current thread asks for; what is given back does not count against them.
struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    // A thread that is ending has no counter any more, and nobody asks for it.
    let _ = ALLOCATED.try_with(|allocated| allocated.set(allocated.get().saturating_add(bytes)));
}

// SAFETY: every call is passed on to the system's allocator as it is. Counting allocates nothing: the counter is a
// constant-initialised thread-local without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the memory came from `System`, with this layout.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count(bytes);
        // SAFETY: the memory came from `System`, with this layout, and the caller vouches for the new size.
        unsafe { System.realloc(memory, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A reader of bytes, and what it may allocate: so much at all, and so much for each byte.
struct Bound {
    corpus: &'static str,
    fixed: usize,
    per_byte: usize,
    read: fn(&[u8]),
}

const BOUNDS: [Bound; 10] = [
    // A header may announce a control frame's payload, or the first piece of a message, before it is there.
    Bound { corpus: "frames", fixed: 1 << 10, per_byte: 8, read: frames },
    Bound { corpus: "commands_json", fixed: 4 << 10, per_byte: 128, read: commands_json },
    Bound { corpus: "commands_protobuf", fixed: 4 << 10, per_byte: 512, read: commands_protobuf },
    Bound { corpus: "tokens", fixed: 8 << 10, per_byte: 64, read: tokens },
    // A hop of one character is an address with all that belongs to one.
    Bound { corpus: "client_address", fixed: 4 << 10, per_byte: 128, read: client_address },
    // Each method reads the same body, and says by itself what is wrong with it.
    Bound { corpus: "api_bodies", fixed: 256 * Method::ALL.len(), per_byte: 128, read: api_bodies },
    // It is read as the answer to four questions.
    Bound { corpus: "proxy_answers", fixed: 4 << 10, per_byte: 256, read: proxy_answers },
    // Each segment may copy the whole base; all of them together make no more than is allowed.
    Bound { corpus: "patches", fixed: 4 * PATCHED_BYTES_MAX, per_byte: 8, read: patches },
    // Every option that there is, and what is wrong with it.
    Bound { corpus: "config_json", fixed: 256 << 10, per_byte: 512, read: config_json },
    Bound { corpus: "config_toml", fixed: 256 << 10, per_byte: 2 << 10, read: config_toml },
];

fn frames(input: &[u8]) {
    let (mut scratch, mut connection) = (input.to_vec(), Connection::new(Role::Server));
    let mut input = Input::new(&mut scratch);
    while let Ok(Some(_)) = connection.next(&mut input, &spanwire_ws::Limits::default()) {}
}

fn commands_json(input: &[u8]) {
    commands(Encoding::Json, input, &Limits::COMMANDS).for_each(drop);
}

fn commands_protobuf(input: &[u8]) {
    commands(Encoding::Protobuf, input, &Limits::COMMANDS).for_each(drop);
}

fn tokens(input: &[u8]) {
    drop(
        Verifier::new(vec![Key::secret(b"secret")], Rules::default())
            .connection(0, &String::from_utf8_lossy(input)),
    );
}

fn client_address(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    drop((proxy_protocol::parse(input), forwarded::forwarded(&text), forwarded::x_forwarded_for(&text)));
}

fn api_bodies(input: &[u8]) {
    Method::ALL.into_iter().for_each(|method| drop(Request::read(method, input)));
}

fn proxy_answers(input: &[u8]) {
    drop(of_connect(input, true));
    let (proxy, channel) = (ProxyId(0), Channel::new("c"));
    for matter in [
        Matter::Refresh,
        Matter::Publish { proxy, channel: channel.clone(), data: Bytes::new() },
        Matter::Subscribe { proxy, channel, data: Bytes::new() },
    ] {
        drop(of_matter(&matter, input));
    }
}

/// Longest target of a patch that is taken, in bytes.
const PATCHED_BYTES_MAX: usize = 1 << 10;

fn patches(input: &[u8]) {
    let Some((base, patch)) = base_and_patch(input) else { return };
    drop(delta::apply(base, patch, PATCHED_BYTES_MAX));
}

fn config_json(input: &[u8]) {
    config(Layer::from_json("file", &String::from_utf8_lossy(input)).ok());
}

fn config_toml(input: &[u8]) {
    config(Layer::from_toml("file", &String::from_utf8_lossy(input)).ok());
}

fn config(layer: Option<Layer>) {
    drop(Settings::read(Profile::Secure, layer.as_slice()));
}

fn allocated_by(read: impl FnOnce()) -> usize {
    let before = ALLOCATED.get();
    read();
    ALLOCATED.get() - before
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn what_is_allocated_is_bounded_by_what_was_sent() {
    for Bound { corpus: name, fixed, per_byte, read } in BOUNDS {
        let (seeds, mut chance) = (corpus(name), Chance::new(1));
        read(&seeds[0]); // What is made once for the whole process is nobody's.
        let mutated = (0..1_000).map(|number| {
            let (seed, other) = (&seeds[number % seeds.len()], &seeds[chance.below(seeds.len())]);
            mutate(seed, other, &mut chance)
        });
        let mut most = 0;
        for input in mutated.collect::<Vec<_>>().iter().chain(&seeds) {
            let allocated = allocated_by(|| read(input));
            most = most.max(allocated.saturating_sub(fixed) / input.len().max(1));
            let allowed = fixed + per_byte * input.len();
            assert!(allocated <= allowed, "{name}: {allocated} for b\"{}\"", input.escape_ascii());
        }
        println!("{name}: at most {most} bytes for each byte, beyond {fixed}");
    }
}

#[test]
fn the_allocator_counts_what_is_allocated_and_what_grows() {
    let allocated = allocated_by(|| {
        let mut bytes = std::hint::black_box(Vec::<u8>::with_capacity(100));
        bytes.reserve_exact(1_000);
        std::hint::black_box(&bytes);
    });
    assert!((1_100..1_200).contains(&allocated), "{allocated}");
}
