//! Telling HTTP/2 with prior knowledge from HTTP/1.1 by a connection's first bytes.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// What every HTTP/2 connection begins with (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The first bytes of a connection.
#[derive(Debug)]
pub(crate) struct First {
    bytes: [u8; PREFACE.len()],
    length: usize,
}

impl First {
    /// Reads until the protocol is clear: mostly one read.
    pub(crate) async fn read(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut first = Self { bytes: [0; PREFACE.len()], length: 0 };
        while first.length < PREFACE.len() && PREFACE.starts_with(first.bytes()) {
            let Some(free) = first.bytes.get_mut(first.length..) else {
                break;
            };
            match io.read(free).await? {
                0 => break,
                count => first.length += count,
            }
        }
        Ok(first)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.bytes() == PREFACE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_protocol_is_clear_as_early_as_can_be() {
        for (sent, kept, http2) in [
            (&PREFACE[..], 24, true),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore", 24, true),
            (b"PUT / HTTP/1.1\r\n", 16, false),
            (b"P", 1, false),
            (b"", 0, false),
        ] {
            let first = First::read(&mut &sent[..]).await.unwrap();
            assert_eq!((first.bytes(), first.is_http2()), (&sent[..kept], http2));
        }
    }
}
