//! flate2 on the stand-in for zlib-ng's bindings does what zlib does.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::io::{Read, Write};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status, read, write};

/// Text that repeats itself somewhat, most of a megabyte.
fn text() -> Vec<u8> {
    let line = |n: u64| format!("{} flag-{} is {}\n", n, n % 97, n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 50);
    (0..30_000).map(line).collect::<String>().into_bytes()
}

#[test]
fn every_level_comes_back() {
    let text = text();
    for level in [0, 1, 6, 9] {
        let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::new(level));
        text.chunks(7919).for_each(|piece| encoder.write_all(piece).unwrap());
        let packed = encoder.finish().unwrap();
        assert!(level == 0 || packed.len() < text.len() / 2, "level {level}: {}", packed.len());
        let mut back = Vec::new();
        read::ZlibDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
        assert!(back == text, "level {level}");
        let mut decoder = write::ZlibDecoder::new(Vec::new());
        packed.chunks(13).for_each(|piece| decoder.write_all(piece).unwrap());
        assert!(decoder.finish().unwrap() == text, "level {level}, piece by piece");
    }
}

#[test]
fn gzip_is_what_others_write() {
    // printf flagstaff | gzip -n
    let packed = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0xcb, 0x49, 0x4c, 0x2f, 0x2e, 0x49, 0x4c, 0x4b, 3, 0, 0x48, 0x25,
        0x48, 0xf2, 9, 0, 0, 0,
    ];
    let mut back = String::new();
    let read = read::GzDecoder::new(&packed[..]).read_to_string(&mut back);
    assert_eq!((read.unwrap(), back.as_str()), (9, "flagstaff"));
}

#[test]
fn streams_can_be_reset_tuned_and_given_a_dictionary() {
    let mut packed = vec![0; 256];
    let mut compress = Compress::new(Compression::fast(), true);
    compress.set_dictionary(b"flags and variants").unwrap();
    let status = compress.compress(b"variants and flags", &mut packed, FlushCompress::Finish).unwrap();
    assert_eq!(status, Status::StreamEnd);
    packed.truncate(usize::try_from(compress.total_out()).unwrap());
    let mut back = vec![0; 64];
    let mut decompress = Decompress::new(true);
    let asks = decompress.decompress(&packed, &mut back, FlushDecompress::None).unwrap_err();
    assert!(asks.needs_dictionary().is_some());
    decompress.set_dictionary(b"flags and variants").unwrap();
    let read = usize::try_from(decompress.total_in()).unwrap();
    decompress.decompress(&packed[read..], &mut back, FlushDecompress::Finish).unwrap();
    let whole = usize::try_from(decompress.total_out()).unwrap();
    assert_eq!(&back[..whole], b"variants and flags", "{read} of {}", packed.len());
    compress.reset();
    compress.set_level(Compression::best()).unwrap();
    assert_eq!(compress.total_out(), 0);
    decompress.reset(true);
    assert!(decompress.decompress(b"no zlib stream", &mut back, FlushDecompress::None).is_err());
}
