//! What was recorded of a visitor is deleted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::workspace::Workspace;

/// What was deleted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Forgotten {
    /// The visitor.
    pub visitor: Option<String>,
    /// All units that were forgotten, the visitor among them.
    pub units: Vec<String>,
    /// Rows that were deleted.
    pub rows: u64,
}

/// Deletes everything that was recorded of a visitor and of other units, each as the ledger names it: `user:42`.
///
/// # Errors
/// When the ledger cannot be opened or written to.
pub async fn forget(workspace: &Workspace, visitor: Option<&str>, others: &[String]) -> Result<Forgotten, Error> {
    let visitor = visitor.map(str::to_owned);
    let units: Vec<String> = visitor.iter().chain(others).cloned().collect();
    let rows = workspace.change(async |ledger| Ok(ledger.forget(&units).await?)).await?;
    Ok(Forgotten { visitor, units, rows })
}
