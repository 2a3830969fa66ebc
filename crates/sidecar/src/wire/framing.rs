//! Where one request ends and the next begins, read strictly from the bytes that pass.
//!
//! hyper parses the requests. It is lenient where two servers could disagree about a request's length: it drops a
//! second equal Content-Length, drops Content-Length beside Transfer-Encoding and takes a bare line feed for the end
//! of a line. An attacker sends such a request so that another server sees a second request in it (RFC 9112 §11.2),
//! so this walks along and refuses it before hyper has the end of the head. What passes here, hyper reads alike.

use crate::refusal::Refusal;

/// Bytes of a field or of a chunk's size that are kept when its line comes in pieces: the fields that matter are shorter. Of a
/// request's first line as many as a head may have are kept, because its target is looked at whole.
const KEPT_BYTES: usize = 96;
/// Bytes of chunk extensions in one body. Nobody uses them.
const EXTENSION_LIMIT: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// Before a request, or in its first line: empty lines are skipped.
    Start,
    /// In the fields.
    Fields,
    /// In a body of known length.
    Body(u64),
    /// In the line with a chunk's size.
    Size,
    /// In a chunk.
    Chunk(u64),
    /// At the end of a chunk.
    ChunkEnd,
    /// In the trailers.
    Trailers,
    /// After a request to switch protocols: no request follows on this connection.
    Open,
}

/// What is being read, for the choice of a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Nothing,
    Head,
    Body,
    Open,
}

/// A violation: how many bytes of the input were still fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) at: usize,
    pub(crate) refusal: Refusal,
}

/// A line that came in pieces, and how much of it is kept.
#[derive(Debug, Default)]
struct Pieces {
    bytes: Vec<u8>,
    length: usize,
    last: u8,
}

impl Pieces {
    fn add(&mut self, piece: &[u8], limit: usize) {
        let free = limit.saturating_sub(self.bytes.len()).min(piece.len());
        self.bytes.extend_from_slice(piece.get(..free).unwrap_or_default());
        self.length += piece.len();
        self.last = piece.last().copied().unwrap_or(self.last);
    }
}

/// The framing of one connection.
#[derive(Debug)]
pub(crate) struct Framing {
    position: Position,
    pieces: Pieces,
    head_limit: usize,
    /// Bytes of the head, the extensions or the trailers so far.
    used: usize,
    length: Option<u64>,
    chunked: bool,
    /// Another protocol may begin behind the head.
    opens: bool,
    connects: bool,
    /// Heads that have passed whole.
    requests: u32,
}

impl Framing {
    pub(crate) fn new(head_limit: usize) -> Self {
        Self {
            position: Position::Start,
            pieces: Pieces::default(),
            head_limit,
            used: 0,
            length: None,
            chunked: false,
            opens: false,
            connects: false,
            requests: 0,
        }
    }

    /// The number of the request whose body is being read, from 1; none outside of bodies.
    pub(crate) fn in_body_of(&self) -> Option<u32> {
        (self.reading() == Reading::Body).then_some(self.requests)
    }

    /// The number of the request that would begin now.
    pub(crate) fn next_request(&self) -> u32 {
        self.requests.wrapping_add(1)
    }

    pub(crate) fn reading(&self) -> Reading {
        match self.position {
            Position::Start if self.pieces.length == 0 => Reading::Nothing,
            Position::Start | Position::Fields => Reading::Head,
            Position::Open => Reading::Open,
            _ => Reading::Body,
        }
    }

    /// Walks over bytes as they came in.
    ///
    /// # Errors
    ///
    /// The first violation. The connection is of no use afterwards.
    pub(crate) fn pass(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let at = bytes.len() - rest.len();
            let taken = match self.position {
                Position::Open => rest.len(),
                Position::Body(left) => self.skip(left, rest.len(), Position::Start, Position::Body),
                Position::Chunk(left) => self.skip(left, rest.len(), Position::ChunkEnd, Position::Chunk),
                _ => self.line(rest).map_err(|refusal| Violation { at, refusal })?,
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    fn skip(&mut self, left: u64, available: usize, after: Position, within: impl Fn(u64) -> Position) -> usize {
        let taken = left.min(available as u64);
        self.position = if taken == left { after } else { within(left - taken) };
        usize::try_from(taken).unwrap_or(available)
    }

    /// Takes one line, or the piece of it that is there.
    fn line(&mut self, rest: &[u8]) -> Result<usize, Refusal> {
        let end = memchr::memchr(b'\n', rest);
        let taken = end.map_or(rest.len(), |end| end + 1);
        let piece = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.budget(taken)?;
        if end.is_none() {
            // hyper parses what is there, so a verdict that can be given is given.
            if self.pieces.length == 0
                && matches!(self.position, Position::Fields | Position::Trailers)
                && folded(piece)
            {
                return Err(Refusal::Folded);
            }
            self.pieces.add(piece, self.kept());
            return Ok(taken);
        }
        if self.pieces.length == 0 {
            self.whole(without_return(piece, piece.last().copied())?, piece.len().saturating_sub(1))?;
        } else {
            self.pieces.add(piece, self.kept());
            let Pieces { bytes, length, last } = std::mem::take(&mut self.pieces);
            let line = without_return(&bytes, Some(last))?;
            // Beyond what was kept, the return at the end was not among it.
            let line = if length > bytes.len() { &bytes } else { line };
            self.whole(line, length - 1)?;
        }
        Ok(taken)
    }

    /// Bytes that are kept of a line in pieces.
    fn kept(&self) -> usize {
        if self.position == Position::Start { self.head_limit } else { KEPT_BYTES }
    }

    /// Heads over their limit are left to hyper, which answers 431; extensions and trailers are refused here.
    fn budget(&mut self, taken: usize) -> Result<(), Refusal> {
        self.used += taken;
        match self.position {
            Position::Size if self.used > EXTENSION_LIMIT => Err(Refusal::ChunkExtension),
            Position::ChunkEnd if self.used > 2 => Err(Refusal::ChunkEnd),
            Position::Trailers if self.used > self.head_limit => Err(Refusal::Trailers),
            _ => Ok(()),
        }
    }

    /// Takes a line without its end. `length` is that of the whole line, `line` may be its beginning only.
    fn whole(&mut self, line: &[u8], length: usize) -> Result<(), Refusal> {
        match self.position {
            Position::Start if length == 0 => self.used = 0,
            Position::Start => self.request(line, length)?,
            Position::Fields if length == 0 => self.head_end()?,
            Position::Fields => self.field(line, length)?,
            Position::Size => self.chunk(line)?,
            Position::ChunkEnd if length == 0 => (self.position, self.used) = (Position::Size, 0),
            Position::ChunkEnd => return Err(Refusal::ChunkEnd),
            Position::Trailers if length == 0 => (self.position, self.used) = (Position::Start, 0),
            Position::Trailers if folded(line) => return Err(Refusal::Folded),
            Position::Trailers | Position::Body(_) | Position::Chunk(_) | Position::Open => {}
        }
        Ok(())
    }

    fn request(&mut self, line: &[u8], length: usize) -> Result<(), Refusal> {
        (self.length, self.chunked) = (None, false);
        self.connects = line.starts_with(b"CONNECT ");
        self.opens = self.connects;
        // A longer line may not be known whole: hyper refuses it, because the head is over its limit.
        if length < self.head_limit && !has_fine_target(line) {
            return Err(Refusal::TargetBytes);
        }
        self.position = Position::Fields;
        Ok(())
    }

    fn field(&mut self, line: &[u8], length: usize) -> Result<(), Refusal> {
        if folded(line) {
            return Err(Refusal::Folded);
        }
        match line.first().map(u8::to_ascii_lowercase) {
            Some(b'c') => value_of(line, b"content-length").map_or(Ok(()), |v| self.content_length(v, length)),
            Some(b't') => value_of(line, b"transfer-encoding").map_or(Ok(()), |v| self.encoding(v, length)),
            Some(b'u') => {
                self.opens |= value_of(line, b"upgrade").is_some();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn content_length(&mut self, value: &[u8], length: usize) -> Result<(), Refusal> {
        if self.chunked {
            return Err(Refusal::LengthAndEncoding);
        }
        let number = if length < KEPT_BYTES { digits(value) } else { None };
        match (self.length, number) {
            (_, None) => Err(Refusal::LengthBad),
            (Some(_), _) => Err(Refusal::LengthTwice),
            (None, number) => {
                self.length = number;
                Ok(())
            }
        }
    }

    fn encoding(&mut self, value: &[u8], length: usize) -> Result<(), Refusal> {
        if self.length.is_some() {
            return Err(Refusal::LengthAndEncoding);
        }
        if self.chunked || length >= KEPT_BYTES || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Refusal::Encoding);
        }
        self.chunked = true;
        Ok(())
    }

    fn head_end(&mut self) -> Result<(), Refusal> {
        self.used = 0;
        self.requests = self.requests.wrapping_add(1);
        // Behind a body the end of it would be left to interpretation. No protocol begins there: the wish is passed over (RFC 9110, 7.8).
        let has_body = self.chunked || self.length.is_some_and(|length| length > 0);
        self.position = match self.length {
            _ if self.connects && has_body => return Err(Refusal::LengthBad),
            _ if self.opens && !has_body => Position::Open,
            _ if self.chunked => Position::Size,
            Some(length @ 1..) => Position::Body(length),
            _ => Position::Start,
        };
        Ok(())
    }

    fn chunk(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let size = line.split(|b| matches!(b, b';' | b' ' | b'\t')).next().unwrap_or_default();
        let mut total = 0_u64;
        for digit in size {
            let digit = char::from(*digit).to_digit(16).ok_or(Refusal::ChunkSize)?;
            total = total.checked_mul(16).ok_or(Refusal::ChunkSize)? | u64::from(digit);
        }
        // More than 64 bits have digits are leading zeros, and a line in pieces is kept in part only.
        if size.is_empty() || size.len() > 16 {
            return Err(Refusal::ChunkSize);
        }
        self.used = 0;
        self.position = if total == 0 { Position::Trailers } else { Position::Chunk(total) };
        Ok(())
    }
}

/// Whether every byte of the target may stand there unescaped. Hardly any has one that must be looked at twice: a quote, `<`, `>`,
/// a backquote, or one beyond ASCII, which is fine within UTF-8.
fn has_fine_target(line: &[u8]) -> bool {
    let target = line.split(|b| *b == b' ').nth(1).unwrap_or_default();
    let plain = |b: &u8| matches!(b, b'!' | b'#'..=b';' | b'=' | b'?'..=b'_' | b'a'..=b'~');
    target.iter().all(plain) || target.len() > usize::from(u16::MAX) || http::Uri::try_from(target).is_ok()
}

fn folded(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

fn without_return(line: &[u8], last: Option<u8>) -> Result<&[u8], Refusal> {
    if last != Some(b'\r') {
        return Err(Refusal::BareLineFeed);
    }
    Ok(line.strip_suffix(b"\r").unwrap_or(line))
}

/// The trimmed value when the field has this name.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// Digits and nothing else; no sign, no list.
fn digits(value: &[u8]) -> Option<u64> {
    let all = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| all)?.parse().ok()
}

#[cfg(test)]
mod tests;
