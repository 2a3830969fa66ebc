//! Decisions of a running program, as they are made: its server-sent events.

use std::io::{BufRead, BufReader, Read};

use flagstaff_operations::Error;
use flagstaff_operations::api::{Problem, ProblemKind, TailQuery};
use flagstaff_operations::traffic::{Missed, TailLine, TailStart};
use serde::de::DeserializeOwned;
use ureq::BodyReader;

use crate::connection::{Ask, Client};

/// The longest line of an event (bytes).
const LONGEST_LINE: u64 = 64 * 1024;

/// What a running program tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TailEvent {
    /// It listens to its traffic.
    Start(TailStart),
    /// A decision was made.
    Decision(Box<TailLine>),
    /// Requests came that it does not tell of, as they were too many.
    Missed(Option<u64>),
}

/// Events as they come. It ends where the program ends.
pub struct TailStream {
    lines: BufReader<BodyReader<'static>>,
    /// The id of the last event that had one.
    last_id: Option<String>,
}

impl Client {
    /// Decisions as they are made: of one flag or of each that a request meets, of one visitor or of all.
    ///
    /// # Errors
    /// When the program does not answer, or says why it cannot.
    pub fn tail(&self, query: &TailQuery) -> Result<TailStream, Error> {
        let response = self.response(&Ask::long("/api/v1/tail").query(query))?;
        Ok(TailStream { lines: BufReader::new(response.into_body().into_reader()), last_id: query.after.clone() })
    }
}

/// The fields of one event so far.
#[derive(Default)]
struct Fields {
    name: String,
    id: Option<String>,
    data: String,
}

impl TailStream {
    /// The id after which a stream that begins later goes on.
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// The next event; none where the stream ended. Events that this client does not know are passed over.
    ///
    /// # Errors
    /// When the connection breaks, is silent for too long, or says what cannot be read.
    pub fn event(&mut self) -> Result<Option<TailEvent>, Error> {
        loop {
            let Some(fields) = self.fields()? else { return Ok(None) };
            self.last_id = fields.id.or(self.last_id.take());
            let data = fields.data.as_str();
            return Ok(Some(match fields.name.as_str() {
                "listening" => TailEvent::Start(read(data)?),
                "decision" => TailEvent::Decision(read(data)?),
                "missed" => TailEvent::Missed(read::<Missed>(data)?.missed),
                _ => continue,
            }));
        }
    }

    fn fields(&mut self) -> Result<Option<Fields>, Error> {
        let mut fields = Fields::default();
        loop {
            let Some(line) = self.line()? else { return Ok(None) };
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "" if line.is_empty() && !fields.data.is_empty() => return Ok(Some(fields)),
                "event" => fields.name = value.into(),
                "id" => fields.id = Some(value.into()),
                "data" => fields.data = value.into(),
                // a comment, which says that the program is still there
                _ => {}
            }
        }
    }

    /// A line without its end; none where the stream ended.
    fn line(&mut self) -> Result<Option<String>, Error> {
        let mut line = Vec::new();
        self.lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            let is_long = u64::try_from(line.len()).is_ok_and(|length| length + 1 >= LONGEST_LINE);
            return if is_long { Err(unreadable("a line is too long")) } else { Ok(None) };
        }
        let text = String::from_utf8(line).map_err(|_| unreadable("it is no UTF-8"))?;
        Ok(Some(text.trim_end_matches('\r').into()))
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(why: &str) -> Error {
    let problem = Problem::new(ProblemKind::Status, 0, "", format!("what the program tells cannot be read: {why}"));
    Error::Elsewhere(Box::new(problem.help("ask a program of the same version")))
}

impl std::fmt::Debug for TailStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TailStream").field("last_id", &self.last_id).finish_non_exhaustive()
    }
}
