//! What can be asked of a running program.

use std::io::Read;

use flagstaff_operations::Error;
use flagstaff_operations::api::{
    CheckQuery, DiffQuery, ExplainRequest, ExportQuery, HistoryQuery, ResultsQuery, RollbackQuery, SimulationQuery,
};
use flagstaff_operations::flags::{CheckAnswer, HeldOut, ListedFlag, Simulated};
use flagstaff_operations::fleet::Fleet;
use flagstaff_operations::history::{Difference, Explained, History, RollbackPreview};
use flagstaff_operations::hygiene::HygieneReport;
use flagstaff_operations::results::{Experiments, Results};
use flagstaff_operations::rollout::RolloutStatus;
use flagstaff_operations::traffic::{FlagTraffic, NotCountedRequests};
use http::Method;

use crate::connection::{Ask, Client, of_flag};

/// Bytes of an export that are read at once.
const PIECE: usize = 32 * 1024;

impl Client {
    /// Every flag.
    ///
    /// # Errors
    /// When the program does not answer, or says why it cannot. The same holds for every other question.
    pub fn list(&self) -> Result<Vec<ListedFlag>, Error> {
        self.ask(&Ask::get("/api/v1/flags"))
    }

    /// One flag.
    ///
    /// # Errors
    /// As [`Client::list`], and when there is no such flag.
    pub fn flag(&self, flag: &str) -> Result<ListedFlag, Error> {
        self.ask(&Ask::get(of_flag(flag, "")))
    }

    /// The share of visitors who are held out of all experiments.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn held_out(&self) -> Result<HeldOut, Error> {
        self.ask(&Ask::get("/api/v1/holdout"))
    }

    /// How often each flag was asked for.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn traffic(&self) -> Result<Vec<FlagTraffic>, Error> {
        self.ask(&Ask::get("/api/v1/traffic"))
    }

    /// How many requests were not counted, and why.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn not_counted(&self) -> Result<Vec<NotCountedRequests>, Error> {
        self.ask(&Ask::get("/api/v1/not-counted"))
    }

    /// What should be tidied up, with what the program has seen.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn hygiene(&self) -> Result<HygieneReport, Error> {
        self.ask(&Ask::get("/api/v1/hygiene"))
    }

    /// Why a visitor gets a variant of a flag.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn explain(&self, flag: &str, request: &ExplainRequest) -> Result<Explained, Error> {
        self.send(Method::POST, &of_flag(flag, "/explain"), request)
    }

    /// Every flag for a visitor.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn explain_all(&self, request: &ExplainRequest) -> Result<Vec<Explained>, Error> {
        self.send(Method::POST, "/api/v1/explain", request)
    }

    /// Visitors who fall into the variants of a flag.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn simulate(&self, flag: &str, query: &SimulationQuery) -> Result<Simulated, Error> {
        self.ask(&Ask::get(of_flag(flag, "/simulation")).query(query))
    }

    /// Every mistake in a draft of the flag file.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn check(&self, name: &str, draft: &[u8]) -> Result<CheckAnswer, Error> {
        let query = CheckQuery { name: Some(name.into()) };
        self.ask(&Ask::send(Method::POST, "/api/v1/check", "text/plain", draft).query(&query))
    }

    /// The results of one experiment.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn results(&self, flag: &str, query: &ResultsQuery) -> Result<Results, Error> {
        self.ask(&Ask::get(of_flag(flag, "/results")).query(query))
    }

    /// The results of every experiment.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn experiments(&self, query: &ResultsQuery) -> Result<Experiments, Error> {
        self.ask(&Ask::get("/api/v1/results").query(query))
    }

    /// Visitors who are held out against everyone else.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn holdout_results(&self, query: &ResultsQuery) -> Result<Results, Error> {
        self.ask(&Ask::get("/api/v1/holdout/results").query(query))
    }

    /// Where a rollout stands.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn rollout(&self, flag: &str) -> Result<RolloutStatus, Error> {
        self.ask(&Ask::get(of_flag(flag, "/rollout")))
    }

    /// Which programs share the ledger.
    ///
    /// # Errors
    /// As [`Client::list`], and when nothing is recorded.
    pub fn fleet(&self) -> Result<Fleet, Error> {
        self.ask(&Ask::get("/api/v1/fleet"))
    }

    /// Which revisions of the flags there were.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn history(&self, query: &HistoryQuery) -> Result<History, Error> {
        self.ask(&Ask::get("/api/v1/history").query(query))
    }

    /// The lines and keys in which two revisions differ.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn diff(&self, query: &DiffQuery) -> Result<Difference, Error> {
        self.ask(&Ask::get("/api/v1/diff").query(query))
    }

    /// What putting a revision back would do.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub fn preview_rollback(&self, query: &RollbackQuery) -> Result<RollbackPreview, Error> {
        self.ask(&Ask::get("/api/v1/rollback").query(query))
    }

    /// What was recorded, piece by piece as it comes. The writer says false when nobody reads on.
    ///
    /// # Errors
    /// As [`Client::list`], when nothing was recorded, when the answer breaks off, or the writer fails.
    pub fn export(
        &self,
        query: &ExportQuery,
        mut write: impl FnMut(&[u8]) -> std::io::Result<bool>,
    ) -> Result<(), Error> {
        let mut body = self.response(&Ask::long("/api/v1/export").query(query))?.into_body().into_reader();
        let mut piece = vec![0; PIECE];
        loop {
            match body.read(&mut piece)? {
                0 => return Ok(()),
                count => {
                    if !write(piece.get(..count).unwrap_or_default())? {
                        return Ok(());
                    }
                }
            }
        }
    }
}
