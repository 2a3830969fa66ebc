//! Any bytes on a connection: where requests begin and end does not depend on how the bytes come in pieces.
#![no_main]

use flagstaff_sidecar::fuzzing::framing;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<u8>, &[u8])| {
    let (cuts, bytes) = input;
    let whole = framing([bytes]);
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for cut in cuts {
        let (piece, after) = rest.split_at(usize::from(cut).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    assert_eq!(framing(pieces), whole);
});
