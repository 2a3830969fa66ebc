//! Every way of hashing that the processor can do, against the crate `sha2`.

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::{INITIAL, Kernel, State, WIDTH, Weighed, Weights, whole_groups};

/// The blocks of a message with its padding (FIPS 180-4, 5.1.1).
fn padded(message: &[u8]) -> Vec<[u8; 64]> {
    let zeros = (119 - message.len() % 64) % 64;
    let bits = (message.len() as u64 * 8).to_be_bytes();
    let all: Vec<u8> = message.iter().copied().chain([0x80]).chain(vec![0; zeros]).chain(bits).collect();
    all.as_chunks::<64>().0.to_vec()
}

fn hash(message: &[u8]) -> State {
    let digest = Sha256::digest(message);
    let words = digest.as_chunks::<4>().0;
    std::array::from_fn(|i| u32::from_be_bytes(words[i]))
}

/// Numbers as large as weights may be, all different.
const WEIGHTS: Weights = [1, 0xff_ffff, 0xff_fffe, 0x80_0001, 3, 0, 0x12_3456, 0xfe_dcba];

/// Hashes messages of one length side by side, and weighs the hashes.
fn side_by_side(kernel: Kernel, messages: &[Vec<u8>]) -> (Vec<State>, Vec<Weighed>) {
    let blocks: Vec<_> = messages.iter().map(|message| padded(message)).collect();
    let mut states = [INITIAL; WIDTH];
    let mut weighed = [Weighed::default(); WIDTH];
    for step in 0..blocks.first().map_or(0, Vec::len) {
        let mut of_all = [[0; 64]; WIDTH];
        of_all.iter_mut().zip(&blocks).for_each(|(slot, blocks)| *slot = blocks[step]);
        weighed = kernel.weigh((step > 0).then_some(&states), &of_all, &WEIGHTS, messages.len());
        kernel.compress(&mut states, &of_all, messages.len());
    }
    (states[..messages.len()].to_vec(), weighed[..messages.len()].to_vec())
}

/// What the crate `sha2` says.
fn wanted(messages: &[Vec<u8>]) -> (Vec<State>, Vec<Weighed>) {
    let hashes: Vec<_> = messages.iter().map(|message| hash(message)).collect();
    let weighed = hashes.iter().map(|hash| Weighed {
        sum: hash.iter().zip(WEIGHTS).map(|(word, weight)| u64::from(*word) * u64::from(weight)).sum(),
        last: hash[7],
    });
    (hashes.clone(), weighed.collect())
}

#[test]
fn one_of_them_is_chosen_and_there_is_always_one() {
    let names: Vec<_> = Kernel::all().into_iter().map(Kernel::name).collect();
    assert!(names.contains(&"plain") && names.contains(&super::hash_kernel()), "{names:?}");
}

#[test]
fn a_group_is_begun_for_most_of_it_only() {
    let whole: Vec<_> = [0, 4, 10, 11, 16, 20, 26, 27, 200].into_iter().map(whole_groups).collect();
    assert_eq!(whole, [0, 0, 0, 11, 16, 16, 16, 27, 192]);
}

#[test]
fn every_count_of_messages() {
    for kernel in Kernel::all() {
        for count in 0..=WIDTH {
            let messages: Vec<_> = (0..count).map(|i| format!("message {i:02} of {count:02}").into_bytes()).collect();
            assert_eq!(side_by_side(kernel, &messages), wanted(&messages), "{count} by {}", kernel.name());
        }
    }
}

proptest! {
    #[test]
    fn any_messages(seed in prop::collection::vec(any::<u8>(), 0..200), count in 1..=WIDTH) {
        let messages: Vec<Vec<u8>> =
            (0..count).map(|i| seed.iter().map(|byte| byte.wrapping_mul(2 * u8::try_from(i).unwrap() + 1)).collect()).collect();
        let want = wanted(&messages);
        for kernel in Kernel::all() {
            prop_assert_eq!(side_by_side(kernel, &messages), want.clone(), "{}", kernel.name());
        }
    }
}
