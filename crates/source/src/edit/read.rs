//! Reading one value of a flag from the text of a file.

use toml_edit::Document;

use super::error::EditError;
use super::set::find_flag;

/// The value at a path of a flag, as written; numbers as such.
pub(super) fn value(text: &str, flag: &str, path: &str) -> Result<Option<String>, EditError> {
    let document = Document::parse(text).map_err(|e| EditError::NotToml(e.message().into()))?;
    let mut table = find_flag(document.as_table(), flag)?;
    let mut keys = path.split('.').peekable();
    while let Some(key) = keys.next() {
        let Some(item) = table.get(key) else {
            return Ok(None);
        };
        match (keys.peek(), item.as_table_like()) {
            (Some(_), Some(below)) => table = below,
            (None, _) => {
                let number = item.as_float().or(item.as_integer().map(|i| i as f64));
                return Ok(Some(number.map_or_else(|| item.to_string().trim().into(), |number| number.to_string())));
            }
            (Some(_), None) => return Ok(None),
        }
    }
    Ok(None)
}
