//! A flag document that is fetched.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::address::WebAddress;
use super::client::Client;
use crate::archive::Unreadable;
use crate::findings::Report;
use crate::store::contents::Contents;
use crate::store::document_store::{DocumentStore, LastSteps, Wake, Watcher};
use crate::store::files::{is_name, misnamed};
use crate::store::replace::{Turn, WriteError};

/// How often it is fetched, unless said otherwise.
const POLL: Duration = Duration::from_secs(30);

/// A flag document on the web.
#[derive(Clone, Debug)]
pub(crate) struct HttpDocument {
    address: WebAddress,
    environment: Option<String>,
    client: Arc<Client>,
}

impl HttpDocument {
    /// The document of an address. Nothing is asked yet.
    ///
    /// # Errors
    /// When the text is no address: why.
    pub(crate) fn new(text: &str, environment: Option<&str>) -> Result<Self, String> {
        let address = WebAddress::new(text)?;
        let client = Arc::new(Client::new(address.is_encrypted()));
        Ok(Self { address, environment: environment.map(Into::into), client })
    }

    fn overlay(&self) -> Option<WebAddress> {
        self.environment.as_deref().map(|environment| self.address.overlay(environment))
    }

    fn fetch(&self, address: &WebAddress) -> Result<Option<Vec<u8>>, Report> {
        let refuse = |why| Report::of_file(&address.shown(), format!("the flags cannot be fetched: {why}"), None);
        self.client.fetch(address).map_err(refuse)
    }

    fn where_to_edit(&self) -> String {
        format!(
            "the flags are fetched from {}, which cannot be changed from here: edit the file where that one is made, such as in its \
             repository; `flagstaff off` works all the same where there is a ledger",
            self.name()
        )
    }
}

impl DocumentStore for HttpDocument {
    fn name(&self) -> String {
        self.address.shown()
    }

    fn overlay_name(&self) -> Option<String> {
        self.overlay().map(|address| address.shown())
    }

    fn archive_name(&self) -> String {
        self.name()
    }

    fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    fn in_environment(&self, environment: &str) -> Arc<dyn DocumentStore> {
        Arc::new(Self { environment: Some(environment.into()), ..self.clone() })
    }

    /// The web lists no files.
    fn environments(&self) -> Result<Vec<String>, Report> {
        Ok(Vec::new())
    }

    fn read_only(&self) -> Option<String> {
        Some(self.where_to_edit())
    }

    fn poll(&self) -> Duration {
        POLL
    }

    fn read(&self) -> Result<Contents, Report> {
        if let Some(environment) = self.environment.as_ref().filter(|environment| !is_name(environment)) {
            return Err(misnamed(&self.name(), environment));
        }
        let definitions = self.fetch(&self.address)?.ok_or_else(|| {
            let help = "is the address right?".to_owned();
            Report::of_file(&self.name(), "the flags cannot be fetched: there is no such file", Some(help))
        })?;
        let overlay = self.overlay().map(|address| self.fetch(&address)).transpose()?;
        Ok(Contents::new(definitions, overlay.flatten()))
    }

    fn overlays(&self) -> Result<Vec<(String, Vec<u8>)>, Report> {
        Ok(Vec::new())
    }

    fn turn(&self) -> io::Result<Turn> {
        Ok(Turn::none())
    }

    fn prepare<'a>(&'a self, before: &'a Contents, after: &'a Contents) -> Result<LastSteps<'a>, WriteError> {
        if before == after {
            return Ok(Vec::new());
        }
        Err(WriteError::ReadOnly(self.where_to_edit()))
    }

    fn archive(&self) -> Result<Option<String>, Unreadable> {
        Ok(None)
    }

    fn replace_archive(&self, _: Option<&str>, _: &str) -> Result<(), WriteError> {
        Err(WriteError::ReadOnly(self.where_to_edit()))
    }

    fn watch(&self, _: Sender<Wake>) -> Box<dyn Watcher> {
        Box::new(NobodyTells)
    }
}

/// The web does not say when a file changes.
struct NobodyTells;

impl Watcher for NobodyTells {
    fn renew(&mut self) -> Result<bool, String> {
        Ok(false)
    }
}
