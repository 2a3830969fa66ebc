//! Flagsmith: the environment document, which SDKs fetch for local evaluation.

mod features;
mod segments;

use crate::chain::simplified;
use crate::error::ImportError;
use crate::input::{self, Node};
use crate::model::{Condition, Imported, Segment};
use crate::options::Options;
use features::Features;
use segments::Conditions;

/// Reads a document.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let document = input::json(bytes)?;
    let Some(Node::List(features)) = document.get("feature_states") else {
        let why = "there is no list `feature_states`; fetch /api/v1/environment-document/ with a server-side key";
        return Err(ImportError::shape("an environment document of Flagsmith", why));
    };
    let segments = document.get("project").map_or(&[][..], |project| project.items_at("segments"));
    let reading = Features { document: &document, segments, options };
    let flags = features.iter().map(|state| reading.flag(state)).collect();
    let segments = segments.iter().map(|segment| read_segment(segment, &document, options));
    // A segment of everybody, or of a share of them, has no conditions.
    let segments = segments.filter(|segment| segment.condition != Condition::Always).collect();
    Ok(Imported { flags, segments, ..Imported::default() })
}

fn read_segment(segment: &Node, document: &Node, options: &Options) -> Segment {
    // What is not mapped is noted on each flag that asks for the segment.
    let mut unheard = Vec::new();
    let condition = simplified(Conditions { document, options, notes: &mut unheard }.of(segment));
    Segment { origin: segment_name(segment), title: segment.text_at("name").map(Into::into), condition }
}

/// By what conditions name a segment.
fn segment_name(segment: &Node) -> String {
    format!("segment {}", id(segment))
}

/// The number of something.
fn id(node: &Node) -> String {
    node.get("id").and_then(Node::word).unwrap_or_default()
}
