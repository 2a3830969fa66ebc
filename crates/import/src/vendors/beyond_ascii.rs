//! Ids and names beyond ASCII: SDKs of one system hash different bytes of them.

use crate::model::Flag;

/// Says it of a flag that draws, where its id may have such letters, or its name has.
pub(super) fn remark(flag: &mut Flag, sdk: &str) {
    let is_made_here = |unit: &str| matches!(unit, "visitor" | "session" | "request");
    let may_differ = |unit: &str| !is_made_here(unit) || !flag.origin.is_ascii();
    if flag.bucket_by.as_deref().is_some_and(may_differ) {
        flag.remark(format!("Ids and names that are not ASCII are hashed as UTF-8 here, and otherwise by {sdk}."));
    }
}
