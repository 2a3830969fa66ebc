//! Ids of 128 bits, as they stand in cookies.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Characters of 128 bits in base64url.
const LENGTH: usize = 22;

/// 22 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Id([u8; LENGTH]);

impl Id {
    pub(crate) fn of(bits: [u8; 16]) -> Self {
        let mut text = [b'A'; LENGTH];
        // 16 bytes are 22 characters, so there is room.
        let _ = URL_SAFE_NO_PAD.encode_slice(bits, &mut text);
        Self(text)
    }

    /// An id that came back; `None` for anything that is not 22 characters of base64url.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
        let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        bytes.iter().all(fits).then_some(Self(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::fmt::Debug for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_went() {
        let id = Id::of([0xfb; 16]);
        assert_eq!(Id::parse(id.as_str()), Some(id));
        assert_eq!(id.as_str().len(), LENGTH);
    }

    #[test]
    fn anything_else_is_none() {
        for bad in [
            "",
            "short",
            &"a".repeat(23),
            &"=".repeat(22),
            &"é".repeat(11),
            "aaaaaaaaaaaaaaaaaaaaa ",
            "aaaaaaaaaaaaaaaaaaaaa+",
        ] {
            assert_eq!(Id::parse(bad), None, "{bad}");
        }
    }
}
