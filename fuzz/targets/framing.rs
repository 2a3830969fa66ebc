//! Any bytes on a connection: whether they are refused does not depend on how they come in pieces. (What for may: a line can
//! break two rules, and is refused for the one that shows first.)
#![no_main]

use flagstaff_sidecar::fuzzing::framing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (cuts, bytes) = input;
    let whole = framing([bytes]).is_some();
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for cut in cuts {
        let (piece, after) = rest.split_at(usize::from(cut).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    assert_eq!(framing(pieces).is_some(), whole);
});
