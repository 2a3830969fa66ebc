//! CBOR (RFC 8949), as far as flagd hashes it: a text, or a list of a key and a text. Lengths are written as short as they can be.

/// How a text is wrapped before it is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrapping {
    /// The key in front of the text, in a list of both; none: the text alone.
    pub(super) key: Option<Box<str>>,
    /// The beginning of that list, with the key.
    front: Box<[u8]>,
}

/// A list of two items.
const LIST_OF_TWO: u8 = 0x82;

impl Wrapping {
    pub(super) fn new(key: Option<&str>) -> Self {
        let front = key.map(|key| [&[LIST_OF_TWO], head(key.len()).as_slice(), key.as_bytes()].concat());
        Self { key: key.map(Into::into), front: front.unwrap_or_default().into() }
    }

    /// What stands before the bytes of a text of this length.
    pub(super) fn before(&self, length: usize) -> (&[u8], Head) {
        (&self.front, head(length))
    }

    /// What is wrapped, as JSON has it.
    pub(super) fn shown(&self, text: &str) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match &self.key {
            Some(key) => format!("[{},{}]", quoted(key), quoted(text)),
            None => quoted(text),
        }
    }
}

/// The beginning of a text: what it is, and its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    bytes: [u8; 9],
    length: u8,
}

impl Head {
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

fn head(length: usize) -> Head {
    let length = length as u64;
    let [.., a, b, c, d, e, f, g, h] = length.to_be_bytes();
    let (bytes, length) = match length {
        ..24 => ([0x60 | h, 0, 0, 0, 0, 0, 0, 0, 0], 1),
        24..0x100 => ([0x78, h, 0, 0, 0, 0, 0, 0, 0], 2),
        0x100..0x1_0000 => ([0x79, g, h, 0, 0, 0, 0, 0, 0], 3),
        0x1_0000..0x1_0000_0000 => ([0x7a, e, f, g, h, 0, 0, 0, 0], 5),
        _ => ([0x7b, a, b, c, d, e, f, g, h], 9),
    };
    Head { bytes, length }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of RFC 8949, appendix A, and lengths on both sides of each border.
    #[test]
    fn texts_begin_with_their_length() {
        let of = |length| head(length).as_slice().to_vec();
        assert_eq!((of(0), of(1), of(4)), (vec![0x60], vec![0x61], vec![0x64]));
        assert_eq!((of(23), of(24), of(255)), (vec![0x77], vec![0x78, 24], vec![0x78, 255]));
        assert_eq!((of(256), of(65_535)), (vec![0x79, 1, 0], vec![0x79, 255, 255]));
        assert_eq!((of(65_536), of(0xffff_ffff)), (vec![0x7a, 0, 1, 0, 0], vec![0x7a, 255, 255, 255, 255]));
        assert_eq!(of(0x1_0000_0000), [0x7b, 0, 0, 0, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn a_key_stands_in_a_list_with_the_text() {
        let wrapping = Wrapping::new(Some("a"));
        assert_eq!(wrapping.before(2).0, [0x82, 0x61, b'a']);
        assert_eq!(wrapping.shown("b\"c"), r#"["a","b\"c"]"#);
        assert!(Wrapping::new(None).before(2).0.is_empty());
    }
}
