//! A flag document under keys: definitions, an overlay for each environment, and the archive of ended flags.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use redis::{RedisResult, cmd};

use super::address::Address;
use super::channel::RedisFactChannel;
use super::lock::{HeldKey, LOCK};
use super::server::{Server, Session};
use super::subscription::Subscription;
use crate::archive::{ARCHIVE, Unreadable};
use crate::decode::text::LARGEST;
use crate::findings::Report;
use crate::store::contents::Contents;
use crate::store::document_store::{DocumentStore, LastStep, LastSteps, Wake, Watcher};
use crate::store::fact_channel::FactChannel;
use crate::store::files::{is_name, misnamed};
use crate::store::replace::{Turn, WriteError};

/// How often the keys are looked at without being told to, unless said otherwise.
const POLL: Duration = Duration::from_secs(10);
/// The part of the key under which the names of environments are that have an overlay.
const ENVIRONMENTS: &str = "environments";
/// Environments at most that are asked for.
const MAX_ENVIRONMENTS: usize = 64;

/// Sets keys if all of them still have the values that were read, and says so on a channel.
///
/// KEYS: those that are compared and set, and the set of environments. ARGV: the channel, the revision, the environment, what was under each key
/// before and what is to be there. A value has `=` before it; without it there is none, or nothing is to be set.
///
/// A script is one step: no other program comes between the comparison and the change, on a cluster too, and nobody hears of a change that was not
/// made. WATCH and MULTI would do the same in five steps, and leave a connection watching when one of them fails. What its user may not do ends a
/// script where it is, so the change itself comes last.
const COMPARE_AND_SET: &str = "\
local function call(name, ...)
  local said = redis.pcall(name, ...)
  if type(said) == 'table' and said.err then error('refused: ' .. name .. ' ' .. said.err) end
  return said
end
local count = #KEYS - 1
for i = 1, count do
  local now = call('GET', KEYS[i])
  if (now and '=' .. now or '') ~= ARGV[3 + i] then return 0 end
end
if ARGV[3] ~= '' then call('SADD', KEYS[count + 1], ARGV[3]) end
if ARGV[1] ~= '' then call('PUBLISH', ARGV[1], ARGV[2]) end
for i = 1, count do
  local after = ARGV[3 + count + i]
  if after ~= '' then call('SET', KEYS[i], string.sub(after, 2)) end
end
return 1
";

/// A flag document under keys of Redis.
#[derive(Clone, Debug)]
pub(crate) struct RedisKeys {
    server: Server,
    environment: Option<String>,
}

impl RedisKeys {
    /// Whether a scheme is one of these.
    pub(crate) fn takes(scheme: &str) -> bool {
        Address::takes(scheme)
    }

    /// The document of an address. Nothing is asked yet.
    ///
    /// # Errors
    /// When the text is no address: why.
    pub(crate) fn new(text: &str, environment: Option<&str>) -> Result<Self, String> {
        Ok(Self { server: Server::new(Address::new(text)?), environment: environment.map(Into::into) })
    }

    fn address(&self) -> &Address {
        &self.server.address
    }

    fn overlay_key(&self) -> Option<String> {
        self.environment.as_deref().map(|environment| self.address().key_of(environment))
    }

    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Session) -> RedisResult<T> + Send + 'static,
    ) -> Result<T, String> {
        self.server.ask(question).map_err(|why| format!("Redis cannot be asked: {why}"))
    }

    /// The same as a report about the document.
    fn asked<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Session) -> RedisResult<T> + Send + 'static,
    ) -> Result<T, Report> {
        let refuse = |why: String| Report::of_file(&self.name(), format!("Redis cannot be asked: {why}"), None);
        self.server.ask(question).map_err(refuse)
    }

    /// Sets keys if they are as they were read.
    fn set(&self, change: Change) -> Result<(), WriteError> {
        let environments = self.address().key_of(ENVIRONMENTS);
        let is_set = self.ask(move |session| change.make(session, &environments)).map_err(WriteError::Refused)?;
        if is_set { Ok(()) } else { Err(WriteError::Changed) }
    }
}

/// Whether another key has this name.
fn is_taken(environment: &str) -> bool {
    [ENVIRONMENTS, LOCK].contains(&environment)
}

/// A key, its value before, and after; none: it is not set.
type Changed = (String, Option<Vec<u8>>, Option<Vec<u8>>);

/// Keys that are compared and set together.
struct Change {
    keys: Vec<Changed>,
    /// Where it is said, and what.
    said: Option<(String, String)>,
    /// An environment that has an overlay then.
    environment: Option<String>,
}

impl Change {
    fn make(&self, session: &mut Session, environments: &str) -> RedisResult<bool> {
        let value = |value: &Option<Vec<u8>>| match value {
            Some(value) => [b"=", value.as_slice()].concat(),
            None => Vec::new(),
        };
        let mut command = cmd("EVAL");
        command.arg(COMPARE_AND_SET).arg(self.keys.len() + 1);
        for (key, ..) in &self.keys {
            command.arg(key);
        }
        let (channel, revision) = self.said.clone().unwrap_or_default();
        let environment = self.environment.as_deref().unwrap_or_default();
        command.arg(environments).arg(channel).arg(revision).arg(environment);
        let (before, after) = (self.keys.iter().map(|key| &key.1), self.keys.iter().map(|key| &key.2));
        for one in before.chain(after) {
            command.arg(value(one));
        }
        session.query(&command)
    }
}

/// What is under keys; none where one is too long to be read.
fn values(session: &mut Session, keys: &[String]) -> RedisResult<Option<Vec<Option<Vec<u8>>>>> {
    for key in keys {
        let length: usize = session.query(cmd("STRLEN").arg(key))?;
        if length > LARGEST {
            return Ok(None);
        }
    }
    session.query(cmd("MGET").arg(keys)).map(Some)
}

impl DocumentStore for RedisKeys {
    fn name(&self) -> String {
        self.address().shown(&self.address().key)
    }

    fn overlay_name(&self) -> Option<String> {
        self.overlay_key().map(|key| self.address().shown(&key))
    }

    fn archive_name(&self) -> String {
        self.address().shown(&self.address().key_of(ARCHIVE))
    }

    fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    fn in_environment(&self, environment: &str) -> Arc<dyn DocumentStore> {
        Arc::new(Self { environment: Some(environment.into()), ..self.clone() })
    }

    fn environments(&self) -> Result<Vec<String>, Report> {
        let key = self.address().key_of(ENVIRONMENTS);
        // some of them, each once: the set may be of any size
        let members: Vec<Vec<u8>> =
            self.asked(move |session| session.query(cmd("SRANDMEMBER").arg(key).arg(MAX_ENVIRONMENTS)))?;
        let names = members.into_iter().filter_map(|member| String::from_utf8(member).ok());
        let mut all: Vec<_> = names.filter(|name| is_name(name) && !is_taken(name)).collect();
        all.sort();
        Ok(all)
    }

    fn poll(&self) -> Duration {
        POLL
    }

    fn read(&self) -> Result<Contents, Report> {
        let contents = self.read_if_there()?;
        if contents.is_missing() {
            let help = "put one there: flagstaff push flags.toml; or name another key: redis://HOST/0?key=NAME";
            return Err(Report::of_file(&self.name(), "there is no flag document under this key", Some(help.into())));
        }
        Ok(contents)
    }

    fn read_if_there(&self) -> Result<Contents, Report> {
        if let Some(environment) = self.environment.as_ref().filter(|name| !is_name(name) || is_taken(name)) {
            return Err(misnamed(&self.name(), environment));
        }
        let keys: Vec<_> = [self.address().key.clone()].into_iter().chain(self.overlay_key()).collect();
        let Some(values) = self.asked(move |session| values(session, &keys))? else {
            let message = format!("there are more than {LARGEST} bytes under this key, or under that of its overlay");
            return Err(Report::of_file(&self.name(), message, Some("is this the right key?".into())));
        };
        let mut values = values.into_iter();
        let (definitions, overlay) = (values.next().flatten(), values.next().flatten());
        Ok(match definitions {
            Some(definitions) => Contents::new(definitions, overlay),
            None => Contents::missing(overlay),
        })
    }

    fn overlays(&self) -> Result<Vec<(String, Vec<u8>)>, Report> {
        let mut all = Vec::new();
        for environment in self.environments()? {
            let key = self.address().key_of(&environment);
            let name = self.address().shown(&key);
            let overlay = self.asked(move |session| values(session, &[key]))?;
            let overlay = overlay.ok_or_else(|| Report::of_file(&name, "it is too long to be read", None))?;
            all.extend(overlay.into_iter().flatten().map(|bytes| (name.clone(), bytes)));
        }
        Ok(all)
    }

    fn turn(&self) -> io::Result<Turn> {
        Ok(Turn::wait(|| HeldKey::take(&self.server)))
    }

    fn prepare<'a>(&'a self, before: &'a Contents, after: &'a Contents) -> Result<LastSteps<'a>, WriteError> {
        let now = self.read_if_there().map_err(|report| WriteError::Refused(report.in_a_line()))?;
        if now != *before {
            return Err(WriteError::Changed);
        }
        if now == *after {
            return Ok(Vec::new());
        }
        Ok(vec![Box::new(KeysChange { keys: self, before, after })])
    }

    fn archive(&self) -> Result<Option<String>, Unreadable> {
        let key = self.address().key_of(ARCHIVE);
        let refuse = |why: String| Unreadable::new(&self.archive_name(), why);
        let found = self.ask(move |session| values(session, &[key])).map_err(refuse)?;
        let found = found.ok_or_else(|| refuse(format!("it has more than {LARGEST} bytes")))?;
        let text = found.into_iter().flatten().next().map(String::from_utf8).transpose();
        text.map_err(|_| refuse("it is not UTF-8".into()))
    }

    fn replace_archive(&self, before: Option<&str>, after: &str) -> Result<(), WriteError> {
        if after.len() > LARGEST {
            return Err(WriteError::Refused(format!(
                "the archive {} would have more than {LARGEST} bytes: rename the key, and a new one is begun",
                self.archive_name()
            )));
        }
        let key = self.address().key_of(ARCHIVE);
        let keys = vec![(key, before.map(|text| text.as_bytes().to_vec()), Some(after.as_bytes().to_vec()))];
        self.set(Change { keys, said: None, environment: None })
    }

    fn fact_channel(&self) -> Option<Box<dyn FactChannel>> {
        Some(Box::new(RedisFactChannel(self.server.clone())))
    }

    fn watch(&self, wakes: Sender<Wake>) -> Box<dyn Watcher> {
        Box::new(Subscription::new(self.server.clone(), self.address().key.clone(), wakes))
    }
}

/// Keys that are still as they were read, and are to be set.
#[derive(Debug)]
struct KeysChange<'a> {
    keys: &'a RedisKeys,
    before: &'a Contents,
    after: &'a Contents,
}

impl KeysChange<'_> {
    fn change(&self) -> Change {
        let Self { keys, before, after } = self;
        let definitions = (!before.is_missing()).then(|| before.definitions().to_vec());
        let new = Some(after.definitions().to_vec()).filter(|_| !after.is_missing());
        let new_overlay = after.overlay().map(<[u8]>::to_vec);
        let has_overlay = new_overlay.is_some();
        let overlay = keys.overlay_key().map(|key| (key, before.overlay().map(<[u8]>::to_vec), new_overlay));
        let key = keys.address().key.clone();
        Change {
            said: Some((key.clone(), after.revision())),
            keys: [(key, definitions, new)].into_iter().chain(overlay).collect(),
            environment: keys.environment.clone().filter(|_| has_overlay),
        }
    }
}

impl LastStep for KeysChange<'_> {
    fn commit(self: Box<Self>) -> Result<(), WriteError> {
        let why = match self.keys.set(self.change()) {
            Err(WriteError::Refused(why)) => why,
            set => return set,
        };
        // the answer may have been lost on the way, and not the change
        match self.keys.read_if_there() {
            Ok(now) if now == *self.after => Ok(()),
            Ok(now) if now == *self.before => Err(WriteError::Refused(why)),
            Ok(_) => Err(WriteError::Changed),
            Err(_) => {
                Err(WriteError::Refused(format!("{why}; whether it was changed is not known: look at it again")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_away_is_said_so_and_soon() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let keys = RedisKeys::new(&format!("redis://me:s3cret@{closed}/0"), None).unwrap();
        let report = keys.read().unwrap_err();
        assert!(report.to_string().contains("nothing listens there") && !report.to_string().contains("s3cret"));
        let error = keys.archive().unwrap_err().to_string();
        assert!(error.contains("flagstaff:flags:archive") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn no_environment_has_the_name_of_another_key() {
        for environment in ["environments", "edit", "archive", "a:b", ""] {
            let keys = RedisKeys::new("redis://localhost", Some(environment)).unwrap();
            assert!(keys.read().unwrap_err().to_string().contains("no file can be named after"), "{environment}");
        }
    }
}
