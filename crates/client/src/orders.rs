//! What can be changed of a running program.

use flagstaff_operations::Error;
use flagstaff_operations::api::{
    ChangeRequest, CreateRequest, DeleteQuery, EndRequest, ForgetRequest, LinkRequest, OrderRequest, Problem,
    ProblemKind, RollbackRequest, SignedLink,
};
use flagstaff_operations::edit::{EditAnswer, Edited, Removal, WouldUndo};
use flagstaff_operations::end;
use flagstaff_operations::history::RollbackAnswer;
use flagstaff_operations::records::Forgotten;
use flagstaff_operations::rollout::{Applied, Command};
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connection::{Ask, Client, of_flag};

/// A switch of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Off for everyone.
    Off,
    /// On again, as it was.
    On,
    /// On for everyone.
    OnForEveryone,
}

impl Switch {
    const fn path(self) -> &'static str {
        match self {
            Self::Off => "/off",
            Self::On => "/on",
            Self::OnForEveryone => "/everyone",
        }
    }
}

impl Client {
    /// Sets keys of a flag. `confirmed` is the revision of the files for which what it undoes may be undone.
    ///
    /// # Errors
    /// When the program does not answer, or says why it cannot. The same holds for every other order.
    pub fn set(&self, flag: &str, request: &ChangeRequest, confirmed: Option<&str>) -> Result<EditAnswer, Error> {
        edited(self.send(Method::PATCH, &confirm(&of_flag(flag, ""), confirmed), request))
    }

    /// Adds a flag.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub fn create(&self, request: &CreateRequest) -> Result<EditAnswer, Error> {
        edited(self.send(Method::POST, "/api/v1/flags", request))
    }

    /// Takes a flag out of the file.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub fn delete(&self, flag: &str, query: &DeleteQuery) -> Result<Removal, Error> {
        match self.ask(&Ask::delete(of_flag(flag, "")).query(query)) {
            Ok(removed) => Ok(Removal::Removed(removed)),
            Err(error) => would_undo(error).map(Removal::NotEnded),
        }
    }

    /// Switches a flag.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub fn switch(
        &self,
        flag: &str,
        switch: Switch,
        request: &OrderRequest,
        confirmed: Option<&str>,
    ) -> Result<EditAnswer, Error> {
        edited(self.send(Method::POST, &confirm(&of_flag(flag, switch.path()), confirmed), request))
    }

    /// Puts a revision back. `confirmed` is the revision of the files for which what it undoes may be undone.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub fn rollback(&self, request: &RollbackRequest, confirmed: Option<&str>) -> Result<RollbackAnswer, Error> {
        let answer = self.send(Method::POST, &confirm("/api/v1/rollback", confirmed), request);
        all_the_same(answer).map(|(answer, _)| answer)
    }

    /// Ends an experiment.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub fn end(&self, flag: &str, request: &EndRequest) -> Result<end::EndAnswer, Error> {
        all_the_same(self.send(Method::POST, &of_flag(flag, "/end"), request)).map(|(answer, _)| answer)
    }

    /// Gives a rollout a command.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub fn command(&self, flag: &str, command: Command) -> Result<Applied, Error> {
        let path = match command {
            Command::Advance => "/rollout/advance",
            Command::Approve => "/rollout/approve",
            Command::Pause => "/rollout/pause",
            Command::Resume => "/rollout/resume",
            Command::Reset => "/rollout/reset",
        };
        let (status, refused) = all_the_same(self.ask(&Ask::order(of_flag(flag, path))))?;
        Ok(Applied { status, refused, has_moved: false })
    }

    /// Deletes everything that was recorded of a visitor.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub fn forget(&self, request: &ForgetRequest) -> Result<Forgotten, Error> {
        self.send(Method::POST, "/api/v1/forget", request)
    }

    /// Signs a link.
    ///
    /// # Errors
    /// As [`Client::set`].
    pub fn link(&self, request: &LinkRequest) -> Result<SignedLink, Error> {
        self.send(Method::POST, "/api/v1/links", request)
    }
}

/// The path of an edit, with the revision for which what it undoes may be undone.
fn confirm(path: &str, confirmed: Option<&str>) -> String {
    match confirmed {
        Some(revision) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            format!("{path}?{}", query.append_pair("confirm", revision).finish())
        }
        None => path.into(),
    }
}

/// The answer to an edit; one that would undo something is an answer too.
fn edited(answer: Result<Edited, Error>) -> Result<EditAnswer, Error> {
    match answer {
        Ok(edited) => Ok(EditAnswer::Edited(edited)),
        Err(error) => would_undo(error).map(EditAnswer::WouldUndo),
    }
}

/// What an edit would undo, where that is why it was not made.
fn would_undo(error: Error) -> Result<WouldUndo, Error> {
    match error {
        Error::Elsewhere(problem) if problem.kind == ProblemKind::WouldUndo => {
            let Problem { undoes, revision, detail, .. } = *problem;
            Ok(WouldUndo { what: undoes.unwrap_or(detail), revision: revision.unwrap_or_default() })
        }
        error => Err(error),
    }
}

/// What an operation says all the same where it is refused, and why it is.
fn all_the_same<T: Serialize + DeserializeOwned>(answer: Result<T, Error>) -> Result<(T, Option<String>), Error> {
    match answer {
        Ok(answer) => Ok((answer, None)),
        Err(Error::Elsewhere(problem)) => {
            let said = problem.answer.clone().and_then(|answer| serde_json::from_value(answer).ok());
            said.map(|said| (said, Some(problem.detail.clone()))).ok_or(Error::Elsewhere(problem))
        }
        Err(error) => Err(error),
    }
}
