//! What was recorded of visitors, to export or to forget; and links that give a visitor a variant.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use flagstaff_operations::Error;
use flagstaff_operations::api::{
    ExportFormat, ExportQuery, ExportRows, ForgetRequest, LinkRequest, ProblemKind, SignedLink,
};
use flagstaff_operations::flags::{self, Link};
use flagstaff_operations::records::{self, Export, Exported, Forgotten, Format, Part, Rows};
use flagstaff_operations::workspace::Workspace;
use flagstaff_tag::Tagger;
use futures_util::stream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::endpoint::Endpoint;
use super::extract::{QueryParams, Sent};
use super::failure::Failure;
use super::idempotency::IdempotencyKeys;
use super::revision::json;
use crate::Context;
use crate::access::Writer;
use crate::response::no_store;

/// Bytes of an export that are sent at once.
const PIECE: usize = 32 * 1024;
/// Pieces that wait for the client.
const WAITING: usize = 4;
/// How long the export waits before it looks again whether there is room.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a link is valid, in seconds, where it is not said.
const LINK_SECONDS: u32 = 24 * 60 * 60;

pub(super) fn endpoints(keys: &Arc<IdempotencyKeys>) -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/v1/export", export)
            .named("exportRecords", "What was recorded, a row per visitor or per day")
            .asks::<ExportQuery>()
            .answers_text("text/csv")
            .answers_text("application/x-ndjson")
            .may_answer(&[404, 409, 422]),
        Endpoint::post("/api/v1/forget", forget)
            .named("forgetVisitor", "Delete everything that was recorded of a visitor")
            .needs::<ForgetRequest>()
            .answers::<Forgotten>()
            .may_answer(&[409, 422])
            .once(keys),
        Endpoint::post("/api/v1/links", link)
            .named("signLink", "Sign a link that gives its visitor variants for a browser session")
            .needs::<LinkRequest>()
            .answers::<SignedLink>()
            .may_answer(&[404, 409, 422])
            .once(keys),
    ]
}

async fn forget(
    State(context): State<Context>,
    Writer(_): Writer,
    Sent(asked): Sent<ForgetRequest>,
) -> Result<Response, Failure> {
    let is_empty = |unit: &String| unit.trim().is_empty();
    if (asked.visitor.is_none() && asked.units.is_empty()) || asked.visitor.iter().chain(&asked.units).any(is_empty) {
        return Err(Error::Input("nobody is named; name a visitor or units".into()).into());
    }
    let forgotten = context
        .run(async move |workspace: &Workspace| {
            records::forget(workspace, asked.visitor.as_deref(), &asked.units).await
        })
        .await?;
    Ok(json(&forgotten))
}

async fn link(
    State(context): State<Context>,
    Writer(_): Writer,
    Sent(asked): Sent<LinkRequest>,
) -> Result<Response, Failure> {
    let settings = context.tagger_settings().clone();
    let signed = context
        .run(async move |workspace: &Workspace| {
            let tagger = Tagger::new(&settings).map_err(Error::Settings)?;
            let lasts = Duration::from_secs(asked.seconds.unwrap_or(LINK_SECONDS).into());
            let link = Link { url: &asked.url, variants: &asked.variants, lasts };
            flags::link(&*workspace.snapshot()?, &tagger, &link)
        })
        .await?;
    Ok(json(&SignedLink { link: signed }))
}

async fn export(
    State(context): State<Context>,
    QueryParams(asked): QueryParams<ExportQuery>,
) -> Result<Response, Failure> {
    let (format, media) = match asked.format {
        ExportFormat::Csv => (Format::Csv, "text/csv"),
        ExportFormat::Jsonl => (Format::JsonLines, "application/x-ndjson"),
    };
    let rows = match asked.per {
        ExportRows::Visitor => Rows::Visitors,
        ExportRows::Day => Rows::Days,
    };
    let (sender, mut pieces) = channel(WAITING);
    let wanted = asked.flag.clone();
    // it goes on while the answer is sent, and ends when the client has gone
    let exporting = tokio::spawn(async move {
        let failing = sender.clone();
        let done = context
            .run(async move |workspace: &Workspace| {
                let snapshot = workspace.snapshot()?;
                let wanted = Export { flag: wanted.as_deref(), rows, format };
                let mut writer = Pieces { sender, piece: Vec::new() };
                let exported = records::export(workspace, &snapshot, &wanted, |part| writer.write(part)).await?;
                // a line of names alone is nothing
                if exported == Exported::Rows {
                    writer.flush();
                }
                Ok(exported)
            })
            .await;
        if done.is_err() {
            // an answer that has begun breaks off: it must not look whole
            let _ = failing.send(Err(io::Error::other("the export failed"))).await;
        }
        done
    });
    match pieces.recv().await {
        Some(Ok(first)) => Ok(streamed(media, first, pieces)),
        _ => match exporting.await.map_err(|error| Error::Io(io::Error::other(error)))?? {
            Exported::Rows => Ok(streamed(media, Bytes::new(), pieces)),
            Exported::Nothing => Err(nothing(None)),
            Exported::NothingOfFlag => Err(nothing(asked.flag.as_deref())),
        },
    }
}

fn nothing(flag: Option<&str>) -> Failure {
    let of = flag.map(|flag| format!(" of `{flag}`")).unwrap_or_default();
    let why = format!("nothing was recorded{of} yet, so there is nothing to export");
    Failure::new(ProblemKind::NothingRecorded, StatusCode::NOT_FOUND, why)
}

type Piece = Result<Bytes, io::Error>;

fn streamed(media: &'static str, first: Bytes, pieces: Receiver<Piece>) -> Response {
    let rest = stream::unfold((Some(first), pieces), async |(first, mut pieces)| match first {
        Some(first) => Some((Ok(first), (None, pieces))),
        None => pieces.recv().await.map(|piece| (piece, (None, pieces))),
    });
    no_store(([(header::CONTENT_TYPE, HeaderValue::from_static(media))], Body::from_stream(rest)))
}

/// Lines of an export, in pieces.
struct Pieces {
    sender: Sender<Piece>,
    piece: Vec<u8>,
}

impl Pieces {
    /// Returns false when the client has gone.
    #[allow(clippy::unnecessary_wraps, reason = "an export asks so")]
    fn write(&mut self, part: Part<'_>) -> io::Result<bool> {
        if let Part::Line(line) = part {
            self.piece.extend_from_slice(line.as_bytes());
        }
        Ok(self.piece.len() < PIECE || self.flush())
    }

    /// Sends what there is, as soon as there is room. This is a thread of its own, which may wait.
    fn flush(&mut self) -> bool {
        if self.piece.is_empty() {
            return true;
        }
        let mut piece = Ok(Bytes::from(std::mem::take(&mut self.piece)));
        loop {
            match self.sender.try_send(piece) {
                Ok(()) => return true,
                Err(TrySendError::Closed(_)) => return false,
                Err(TrySendError::Full(back)) => piece = back,
            }
            std::thread::sleep(PAUSE);
        }
    }
}
